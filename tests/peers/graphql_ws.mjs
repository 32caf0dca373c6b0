// Asks the server at URL through the graphql-ws client, and prints what came of it.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [, , url, token] = process.argv;
const told = {};

function connect(authorization, more = {}) {
  return createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
    lazy: true,
    retryAttempts: 0,
    ...more,
  });
}

async function all(client, query, variables) {
  const answers = [];
  for await (const answer of client.iterate({ query, variables })) answers.push(answer);
  return answers;
}

async function failure(client, query) {
  try {
    return { answers: await all(client, query) };
  } catch (error) {
    return Array.isArray(error)
      ? { errors: error.map(({ extensions }) => extensions.code) }
      : { code: error.code, reason: error.reason };
  }
}

const client = connect(`Bearer ${token}`);
told.query = await all(client, 'query ($n: String) { hello(name: $n) }', { n: 'Ёж' });
told.mutation = await all(client, 'mutation { rename(name: "peer") }');
told.subscription = await all(client, 'subscription { count(to: 3) }');

const closings = [];
const sturdy = connect(`Bearer ${token}`, { on: { closed: ({ code }) => closings.push(code) } });
const beside = all(sturdy, 'subscription { count(to: 3, seconds: 0.3) }');
told.syntax = await failure(sturdy, '{');
told.validation = await failure(sturdy, '{ nope }');
told.stream = await failure(sturdy, 'subscription { fails }');
told.beside = (await beside).length;
told.closings = [...closings];

const streams = Array.from({ length: 100 }, () =>
  all(sturdy, 'subscription { count(to: 20, seconds: 0.01) }'),
);
told.parallel = (await Promise.all(streams)).map((answers) => answers.length);

const left = sturdy.iterate({ query: 'subscription { hang }' });
const waiting = left.next();
await all(sturdy, '{ hello }');
await left.return();
told.left = (await waiting).done;

told.badToken = await failure(connect('Bearer bad'), '{ hello }');
told.noToken = await failure(connect(undefined), '{ hello }');

console.log(JSON.stringify(told));
await client.dispose();
await sturdy.dispose();
process.exit(0);
