// The company's log-in that somebody else wrote: oidc-provider. Prints where it is, and serves until
// it is ended. Whoever signs in as NAME is NAME@example.com; `liar` says so without proof. GET
// /rotate exchanges its keys. node company.mjs CLIENT SECRET REDIRECT_URI
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [client, secret, back, host] = process.argv.slice(2);
const groups = { boss: ["administrators", "everybody"], clerk: ["everybody"] };

const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://${host}:${server.address().port}`;

function born() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

const account = (_, id) => ({
  accountId: id,
  claims: () => ({
    sub: id,
    email: id === "liar" ? "anna@example.com" : `${id}@example.com`,
    email_verified: id !== "liar",
    groups: groups[id] ?? [],
  }),
});

function provider() {
  return new Provider(url, {
    clients: [{ client_id: client, client_secret: secret, redirect_uris: [back] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
    cookies: { keys: ["k-cookies"] },
    findAccount: account,
    jwks: { keys: [born()] },
    pkce: { required: () => true },
  }).callback();
}

let answer = provider();
server.on("request", (request, response) => {
  if (request.url === "/rotate") {
    answer = provider();
    response.end();
  } else {
    answer(request, response);
  }
});
console.log(JSON.stringify({ url }));
