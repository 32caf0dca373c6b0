// Asks the server at URL through the graphql-sse client, and prints what came of it.
import { createClient } from 'graphql-sse';

const [, , url, token] = process.argv;
const client = createClient({
  url,
  singleConnection: false,
  retryAttempts: 0,
  headers: { authorization: `Bearer ${token}` },
});

async function all(query, variables) {
  const answers = [];
  for await (const answer of client.iterate({ query, variables })) answers.push(answer);
  return answers;
}

const told = {
  query: await all('query ($n: String) { hello(name: $n) }', { n: 'Ёж' }),
  mutation: await all('mutation { rename(name: "peer") }'),
  subscription: await all('subscription { count(to: 3) }'),
  syntax: await all('{'),
};
const left = client.iterate({ query: 'subscription { hang }' });
const waiting = left.next();
await new Promise((resolve) => setTimeout(resolve, 300));
await left.return();
told.left = (await waiting).done;

console.log(JSON.stringify(told));
client.dispose();
process.exit(0);
