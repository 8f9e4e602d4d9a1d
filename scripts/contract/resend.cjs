// Prepares Resend's OpenAPI file for the contract check.
//   node resend.cjs <openapi.json> <node_modules> <output folder>
// Writes spec.json (for prism) and examples.json (for the test): one event of each type, with every optional part, made
// from the file's schema of it, because the file has no examples of events.
'use strict'
const fs = require('node:fs')
const path = require('node:path')

const [source, , output] = process.argv.slice(2)
const spec = JSON.parse(fs.readFileSync(source, 'utf8'))

// --- only the operations our client calls
const USED = { '/emails': ['post'] }
spec.paths = Object.fromEntries(Object.entries(USED).map(([route, methods]) => {
  const operations = methods.map((method) => {
    const operation = spec.paths[route]?.[method]
    if (!operation) throw new Error(`the file has no ${method} ${route} any more`)
    return [method, operation]
  })
  return [route, Object.fromEntries(operations)]
}))

// --- corrections: the file would take a tag without a name, or with characters its own description forbids
const tag = spec.components.schemas.Tag
if (tag.required || tag.properties.name.pattern) throw new Error('the file now says what a tag needs: drop the correction')
tag.required = ['name', 'value']
for (const part of ['name', 'value']) Object.assign(tag.properties[part], { pattern: '^[A-Za-z0-9_-]+$', maxLength: 256 })

// --- one event of each type
const follow = (schema) => (schema.$ref ? schema.$ref.slice(2).split('/').reduce((at, key) => at[key], spec) : schema)
const sample = (reference) => {
  const schema = follow(reference)
  if (schema.const !== undefined) return schema.const
  if (schema.example !== undefined) return schema.example
  if (schema.enum) return schema.enum[0]
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(sample))
  const choice = schema.oneOf ?? schema.anyOf
  if (choice) return sample(choice[0])
  switch ([schema.type].flat()[0]) {
    case 'object': {
      const named = Object.entries(schema.properties ?? {}).map(([name, property]) => [name, sample(property)])
      const free = schema.additionalProperties ? [['some_name', sample(schema.additionalProperties)]] : []
      return Object.fromEntries([...named, ...free])
    }
    case 'array': return [sample(schema.items)]
    case 'string': return schema.format === 'date-time' ? '2026-11-23T00:41:11.894Z' : 'some text'
    case 'integer': case 'number': return 1
    case 'boolean': return true
    default: return null
  }
}
const examples = Object.entries(spec.webhooks).map(([name, webhook]) => {
  const value = sample(webhook.post.requestBody.content['application/json'].schema)
  if (value.type !== name) throw new Error(`${name}: the schema is one of ${value.type}`)
  return { name, value }
})
delete spec.webhooks

fs.writeFileSync(path.join(output, 'spec.json'), JSON.stringify(spec))
fs.writeFileSync(path.join(output, 'examples.json'), JSON.stringify(examples))
console.error(`${examples.length} events, ${Object.keys(USED).length} path`)
