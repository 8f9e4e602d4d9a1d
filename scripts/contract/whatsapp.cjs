// Prepares Meta's OpenAPI file for the contract check.
//   node whatsapp.cjs <openapi.yaml> <node_modules> <output folder>
// Writes spec.json (for prism) and examples.json (for the test).
//
// The file (v23, November 2025) contradicts itself and lags behind the API in known places. Each is corrected here by
// name and with its reason, and a correction that no longer applies is an error: the check stays as strict as the file.
'use strict'
const fs = require('node:fs')
const path = require('node:path')

const [source, modules, output] = process.argv.slice(2)
const yaml = require(path.join(modules, 'yaml'))
const spec = yaml.parse(fs.readFileSync(source, 'utf8'), { maxAliasCount: -1 })
const schemas = spec.components.schemas

// --- only the operations our client calls: several paths have the same shape ({Version}/{some id}), and prism takes
//     whichever comes first
const USED = {
  '/{Version}/{Phone-Number-ID}/messages': ['post'],
  '/{Version}/{Phone-Number-ID}/media': ['post'],
  '/{Version}/{Phone-Number-ID}': ['get'],
  '/{Version}/{Media-ID}': ['get', 'delete'],
  '/{Version}/{WABA-ID}/phone_numbers': ['get'],
  '/{Version}/{WABA-ID}/subscribed_apps': ['get', 'post'],
  '/{Version}/{WABA-ID}/message_templates': ['get', 'post', 'delete'],
}

// --- examples first, from the file as it is
const follow = (node) => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key], spec) : node)
const examplesOf = (content) => {
  const json = content?.['application/json']
  const named = Object.entries(json?.examples ?? {}).map(([name, example]) => [name, follow(example).value])
  return json?.example === undefined ? named : [...named, ['example', json.example]]
}
const examples = []
for (const [route, methods] of Object.entries(USED)) {
  for (const method of methods) {
    const operation = spec.paths[route]?.[method]
    if (!operation) throw new Error(`the file has no ${method} ${route} any more`)
    for (const [name, value] of examplesOf(operation.requestBody?.content)) {
      examples.push({ kind: 'request', route, method, name, value })
    }
    for (const [status, response] of Object.entries(operation.responses)) {
      for (const [name, value] of examplesOf(follow(response).content)) {
        examples.push({ kind: 'response', route, method, status: Number(status), name, value })
      }
    }
  }
}
for (const [name, value] of examplesOf(spec.paths['/whatsapp/webhooks'].post.requestBody.content)) {
  examples.push({ kind: 'webhook', name, value })
}

// --- corrections
const correct = (reason, apply) => {
  if (!apply()) throw new Error(`this correction no longer applies: ${reason}`)
}
const addTo = (list, ...values) => {
  if (!Array.isArray(list) || values.some((value) => list.includes(value))) return false
  list.push(...values)
  return true
}
const text = { type: 'string' }

correct('a template language has no policy: the file requires one, its own examples have none', () => {
  const required = schemas.LanguageObject.required
  if (!required.includes('policy')) return false
  schemas.LanguageObject.required = required.filter((name) => name !== 'policy')
  return true
})
correct('a button has index 0 to 9: the pattern in the file is a broken character class', () => {
  const index = schemas.TemplateComponent.properties.index
  const button = schemas.ButtonComponent.allOf[1].properties.index
  if (index.pattern !== '^[2-6, 11-14]$') return false
  index.pattern = button.pattern = '^[0-9]$'
  return true
})
correct('template components: carousel and limited_time_offer are documented on the template pages', () =>
  addTo(schemas.TemplateComponent.properties.type.enum, 'carousel', 'limited_time_offer'))
correct('template buttons: copy_code and flow are documented on the template pages', () =>
  addTo(schemas.TemplateComponent.properties.sub_type.enum, 'copy_code', 'flow'))
correct('interactive messages: three types of the message pages are missing', () =>
  addTo(schemas.InteractiveObject.properties.type.enum, 'cta_url', 'location_request_message', 'request_contact_info'))
correct('interactive messages: the actions of those three types', () => {
  const named = (name, parameters) => ({
    type: 'object', additionalProperties: false, required: parameters ? ['name', 'parameters'] : ['name'],
    properties: { name: { type: 'string', enum: [name] }, ...(parameters && { parameters }) },
  })
  const link = {
    type: 'object', additionalProperties: false, required: ['display_text', 'url'],
    properties: { display_text: { ...text, maxLength: 20 }, url: text },
  }
  schemas.ActionObject.oneOf.push(
    named('cta_url', link), named('send_location'), named('request_contact_info'))
  return true
})
correct('all messages: fields of the send page that the file leaves out', () => {
  const properties = schemas.BaseMessageProperties.properties
  if (properties.biz_opaque_callback_data) return false
  properties.biz_opaque_callback_data = { ...text, maxLength: 512 }
  properties.recipient_identity_key_hash = text
  return true
})
correct('business-scoped recipients (2026): `recipient` instead of `to`', () => {
  const base = schemas.BaseMessageProperties
  if (base.properties.recipient || !base.required.includes('to')) return false
  base.properties.recipient = { ...text, pattern: '^[A-Z]{2}\\.(ENT\\.)?[A-Za-z0-9]{1,128}$' }
  base.required = base.required.filter((name) => name !== 'to')
  base.anyOf = [{ required: ['to'] }, { required: ['recipient'] }]
  return true
})
correct('marking as read is an example of the operation without a schema', () => {
  if (schemas.ReadMark) return false
  schemas.ReadMark = {
    type: 'object', additionalProperties: false, required: ['messaging_product', 'status', 'message_id'],
    properties: {
      messaging_product: { type: 'string', enum: ['whatsapp'] },
      status: { type: 'string', enum: ['read'] },
      message_id: text,
      typing_indicator: { type: 'object', required: ['type'], properties: { type: { type: 'string', enum: ['text'] } } },
    },
  }
  schemas.Message.oneOf.push({ $ref: '#/components/schemas/ReadMark' })
  delete schemas.Message.discriminator
  return true
})

correct('deleting media has no body: the file requires a content type all the same', () => {
  const operation = spec.paths['/{Version}/{Media-ID}'].delete
  const kept = operation.parameters.filter((parameter) => parameter.$ref !== '#/components/parameters/ContentType')
  if (kept.length === operation.parameters.length) return false
  operation.parameters = kept
  return true
})

spec.paths = Object.fromEntries(Object.entries(USED).map(([route, methods]) => {
  const { get, post, delete: remove, ...shared } = spec.paths[route]
  const all = { get, post, delete: remove }
  return [route, { ...shared, ...Object.fromEntries(methods.map((method) => [method, all[method]])) }]
}))
// Reading a number and reading media have one shape of path: prism serves the number, the test knows.
spec.paths['/{Version}/{Phone-Number-ID}'].delete = spec.paths['/{Version}/{Media-ID}'].delete
delete spec.paths['/{Version}/{Media-ID}']

fs.writeFileSync(path.join(output, 'spec.json'), JSON.stringify(spec))
fs.writeFileSync(path.join(output, 'examples.json'), JSON.stringify(examples))
console.error(`${examples.length} examples, ${Object.keys(USED).length} paths`)
