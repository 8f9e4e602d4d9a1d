// A real OpenID Connect provider for one test.
//   OIDC_PROVIDER=<folder> node oidc_provider.mjs
// Reads its configuration as one line of JSON, prints its issuer as one line, and ends with its standard input.
//
//   clients   as oidc-provider takes them (client_id, client_secret, redirect_uris, id_token_signed_response_alg, ...)
//   accounts  {"<account id>": {claims}}; whoever comes is logged in as `login_hint`, or else as the first of them
//   deny      true: whoever comes refuses
//   features  merged into oidc-provider's own settings, for what else a test needs
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const folder = process.env.OIDC_PROVIDER
if (!folder) {
  console.error('OIDC_PROVIDER is not set: see scripts/partners/oidc.sh')
  process.exit(64)
}
const { Provider } = await import(pathToFileURL(path.join(folder, 'node_modules/oidc-provider/lib/index.js')))

// Keys of our own for every start, one for each kind of signature.
const key = (type, options, extra) => {
  const { privateKey } = generateKeyPairSync(type, options)
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: randomUUID(), ...extra }
}
const signingKeys = () => [
  key('rsa', { modulusLength: 2048 }, { alg: 'RS256' }),
  key('rsa', { modulusLength: 2048 }, { alg: 'PS256' }),
  key('ec', { namedCurve: 'P-256' }, { alg: 'ES256' }),
  key('ed25519', {}, { alg: 'EdDSA' }),
]

const build = (issuer, { clients, accounts, features }) =>
  new Provider(issuer, {
    clients,
    jwks: { keys: signingKeys() },
    cookies: { keys: [randomUUID()] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    scopes: ['openid', 'email', 'profile', 'groups'],
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'],
    },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) },
    // Everything that is asked for is granted.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider, params } = ctx.oidc
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope(params.scope)
      await grant.save()
      return grant
    },
    ...features,
  })

// Nobody sits before it: whoever is sent here is logged in at once.
const login = async (provider, { accounts, deny }, request, response) => {
  const { params } = await provider.interactionDetails(request, response)
  const accountId = params.login_hint ?? Object.keys(accounts)[0]
  const result = deny
    ? { error: 'access_denied', error_description: 'the person said no' }
    : { login: { accountId } }
  await provider.interactionFinished(request, response, result)
}

const lines = createInterface({ input: process.stdin })
const [line] = await new Promise((resolve) => {
  lines.once('line', (first) => resolve([first]))
  lines.once('close', () => process.exit(0))
})
const configuration = JSON.parse(line)

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = build(issuer, configuration)
  provider.on('server_error', (_, error) => console.error(error))
  const serve = provider.callback()
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return serve(request, response)
    login(provider, configuration, request, response).catch((error) => {
      console.error(error)
      response.writeHead(500).end()
    })
  })
  console.log(issuer)
})
