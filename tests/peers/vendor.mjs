// A vendor that somebody else wrote: oidc-provider, whose every refresh token is good once. Prints
// where it is, and serves until it is ended. node vendor.mjs CLIENT SECRET REDIRECT_URI METADATA

import { createServer } from "node:http";
import { once } from "node:events";
import Provider from "oidc-provider";

const [client, secret, back, metadata] = process.argv.slice(2);
const counts = { renewed: 0, refused: 0, ended: 0 };

const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(url, {
  clients: [
    {
      client_id: client,
      client_secret: secret,
      redirect_uris: [back],
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      ...JSON.parse(metadata),
    },
  ],
  cookies: { keys: ["k-cookies"] },
  features: { clientCredentials: { enabled: true }, revocation: { enabled: true } },
  pkce: { required: () => true },
  rotateRefreshToken: () => true,
  ttl: { AccessToken: 600, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600 },
});

const isRenewal = (ctx) => ctx.oidc.params?.grant_type === "refresh_token";
provider.on("grant.success", (ctx) => { counts.renewed += isRenewal(ctx) ? 1 : 0; });
provider.on("grant.error", (ctx) => { counts.refused += isRenewal(ctx) ? 1 : 0; });
provider.on("grant.revoked", () => { counts.ended += 1; });

const answer = provider.callback();
server.on("request", (request, response) => {
  if (request.url === "/counts") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(counts));
  } else {
    answer(request, response);
  }
});
console.log(JSON.stringify({ url }));
