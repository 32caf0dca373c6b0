// Tokens for a program: by client credentials, and another before the present one ends.

/** The program as it is registered; `hub client create` printed both words. */
export interface Client {
  tokenUrl: string;
  id: string;
  secret: string;
  /** Scopes, and purposes as `purpose:KEY`; without it all that the client has. */
  scope?: string;
}

interface Token {
  access_token: string;
  expires_in: number;
}

const AHEAD = 60; // seconds before its end in which a token is not begun with any more

/** What gives a token that counts, from one request however many ask at once. */
export function credentials(client: Client, ahead = AHEAD): () => Promise<string> {
  let token: Promise<string> | undefined;
  let until = 0;

  async function renewed(): Promise<string> {
    const { access_token, expires_in } = await request(client);
    until = Date.now() + (expires_in - ahead) * 1000;
    return access_token;
  }

  return () => {
    if (token === undefined || Date.now() >= until) {
      until = Infinity; // until it is here
      token = renewed();
      token.catch(() => (token = undefined)); // who asks next tries again
    }
    return token;
  };
}

async function request({ tokenUrl, id, secret, scope }: Client): Promise<Token> {
  const basic = btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`);
  const form = { grant_type: 'client_credentials', ...(scope && { scope }) };
  const response = await fetch(tokenUrl, {
    method: 'POST',
    headers: { Authorization: `Basic ${basic}` },
    body: new URLSearchParams(form),
  });
  const told = (await response.json()) as Token & { error?: string; error_description?: string };
  if (!response.ok) throw new Error(`No token: ${told.error_description ?? told.error}`);
  return told;
}
