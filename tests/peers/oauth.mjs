// oauth.mjs FACTS: npm oauth4webapi as a client of the hub, which it knows by its address alone;
// print what it saw. FACTS is JSON: url, person (where somebody says yes to every request),
// app, shop (with a secret), erp (with a key), front and customer.
import * as oauth from 'oauth4webapi';

const facts = JSON.parse(process.argv[2]);
const plain = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(facts.url);
const back = 'https://app.example.com/callback';
const told = {};

const answer = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain });
const as = await oauth.processDiscoveryResponse(issuer, answer);
told.pkce = as.code_challenge_methods_supported;

// Somebody is sent to the hub, and comes back.
async function asked(client, change = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const query = {
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: back,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...change,
  };
  const where = `${facts.person}?${new URLSearchParams(query)}`;
  const sent = await fetch(where, { redirect: 'manual' });
  return { verifier, state, returned: new URL(sent.headers.get('location')) };
}

async function code(client, proof, { verifier, state, returned }) {
  const checked = oauth.validateAuthResponse(as, client, returned, state);
  const grant = await oauth.authorizationCodeGrantRequest(
    as, client, proof, checked, back, verifier, plain,
  );
  return oauth.processAuthorizationCodeResponse(as, client, grant);
}

async function refresh(client, proof, token) {
  const grant = await oauth.refreshTokenGrantRequest(as, client, proof, token, plain);
  return oauth.processRefreshTokenResponse(as, client, grant);
}

async function credentials(client, proof, said = {}) {
  const grant = await oauth.clientCredentialsGrantRequest(as, client, proof, said, plain);
  return oauth.processClientCredentialsResponse(as, client, grant);
}

async function introspect(client, proof, token) {
  const found = await oauth.introspectionRequest(as, client, proof, token, plain);
  return (await oauth.processIntrospectionResponse(as, client, found)).active;
}

async function revoke(client, proof, token) {
  const done = await oauth.revocationRequest(as, client, proof, token, plain);
  return oauth.processRevocationResponse(done);
}

// What a resource server makes of a token, by RFC 9068.
async function claims(token) {
  const headers = { authorization: `Bearer ${token}` };
  return oauth.validateJwtAccessToken(as, new Request(`${facts.url}/graphql`, { headers }), facts.url, plain);
}

async function fault(work) {
  try {
    await work;
    return 'none';
  } catch (error) {
    return error.error ?? error.code ?? String(error);
  }
}

async function status(token) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ query: '{ __typename }' });
  const found = await fetch(`${facts.url}/graphql`, { method: 'POST', headers, body });
  return found.status;
}

// A public client: rotation, replay of a refresh token, replay of a code.
const app = { client_id: facts.app };
const none = oauth.None();
const first = await asked(app);
const given = await code(app, none, first);
told.person = (await claims(given.access_token)).sub === facts.user;
told.opens = await status(given.access_token);
const rotated = await refresh(app, none, given.refresh_token);
told.rotates = rotated.refresh_token !== given.refresh_token;
told.reuse = await fault(refresh(app, none, given.refresh_token));
told.ended = [await status(rotated.access_token), await fault(refresh(app, none, rotated.refresh_token))];

const second = await asked(app);
const kept = await code(app, none, second);
told.replay = await fault(code(app, none, second));
told.replayed = await status(kept.access_token);

// Answers that are not ours, or not to this question.
const mixed = await asked(app);
mixed.returned.searchParams.set('iss', 'https://evil.example.org');
told.iss = await fault(code(app, none, mixed));
const astray = await asked(app, { scope: 'admin' });
told.refused = await fault(code(app, none, astray));

// A client with a secret, in the header and in the body: asks, ends, asks again.
const shop = { client_id: facts.shop };
const basic = oauth.ClientSecretBasic(facts.secret);
const post = oauth.ClientSecretPost(facts.secret);
const token = (await credentials(shop, basic, { scope: 'customers:read' })).access_token;
told.scope = (await claims(token)).scope;
told.post = (await credentials(shop, post)).token_type;
told.wrong = await fault(credentials(shop, oauth.ClientSecretBasic('wrong')));
told.active = [await introspect(shop, basic, token)];
await revoke(shop, basic, token);
told.active.push(await introspect(shop, post, token), await status(token));

// A client that signs.
const erp = { client_id: facts.erp };
const key = await crypto.subtle.importKey(
  'jwk', facts.key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'],
);
told.signed = (await credentials(erp, oauth.PrivateKeyJwt(key))).token_type;

// A shop's own front end, for the customer before it.
const front = { client_id: facts.front };
const exchanged = await oauth.genericTokenEndpointRequest(
  as, front, basic, 'urn:ietf:params:oauth:grant-type:token-exchange',
  { subject_token: facts.customer, subject_token_type: facts.kind }, plain,
);
const bound = await oauth.processGenericTokenEndpointResponse(as, front, exchanged);
told.bound = (await claims(bound.access_token)).sub === facts.customer;

console.log(JSON.stringify(told));
