// Asking the hub over HTTP: one POST for each operation, and patience where the hub asks for it.
import type { TypedDocumentString } from './generated/graphql.js';

/** Where the hub is, and who asks. A token lives for minutes: `token` is called for each request. */
export interface Access {
  url: string;
  token: () => string | Promise<string>;
  purpose: string;
  /** Name documents by their id, as a hub with their manifest lets you, instead of sending them. */
  byId?: boolean;
}

/** One error as the hub tells it; `path` is there where the rest of an answer may be good. */
interface Fault {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string; retryAfter?: number };
}

interface Response<R> {
  data?: R | null;
  errors?: Fault[];
}

/** A request that failed. What to do next hangs on `code`, never on the message. */
export class HubError extends Error {
  constructor(readonly faults: readonly Fault[]) {
    super(faults.map((fault) => fault.message).join('\n'));
  }

  get code(): string {
    return this.faults[0]?.extensions?.code ?? 'INTERNAL_SERVER_ERROR';
  }
}

const ATTEMPTS = 5;

export class Hub {
  constructor(private readonly access: Access) {}

  /** Ask, and ask again after RATE_LIMITED. Throws HubError. */
  async ask<R, V>(document: TypedDocumentString<R, V>, variables: V): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.post(document, variables);
      const { data, errors } = (await response.json()) as Response<R>;
      if (data && !errors) return data;
      const error = new HubError(errors ?? []);
      if (error.code !== 'RATE_LIMITED' || holds(data) || attempt === ATTEMPTS) throw error;
      await pause(patience(response, error));
    }
  }

  private async post<R, V>(document: TypedDocumentString<R, V>, variables: V) {
    const { url, token, purpose, byId } = this.access;
    const asked = byId ? { documentId: document.__meta__?.['hash'] } : { query: document };
    return fetch(url, {
      method: 'POST',
      headers: {
        Accept: 'application/graphql-response+json',
        Authorization: `Bearer ${await token()}`,
        'Content-Type': 'application/json',
        'Hub-Purpose': purpose,
      },
      body: JSON.stringify({ ...asked, variables }),
    });
  }
}

/** Whether anything of an answer came, so that it would be done twice. */
function holds(data: unknown): boolean {
  return Object.values((data ?? {}) as object).some((field) => field !== null);
}

/** Seconds to wait: exactly, as the error says, or in whole seconds, as the header does. */
function patience(response: globalThis.Response, error: HubError): number {
  const exact = error.faults[0]?.extensions?.retryAfter;
  return exact ?? Number(response.headers.get('Retry-After') ?? 1);
}

function pause(seconds: number): Promise<void> {
  console.error(`The hub asks for patience: ${seconds} s.`);
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
