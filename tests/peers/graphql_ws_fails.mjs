// Prints what the graphql-ws client makes of a stream that fails half-way, and of one beside it.
import { authorization, url } from './hub.mjs';
import { all, connect, failure } from './socket.mjs';

const closings = [];
const client = connect(url, authorization, { on: { closed: ({ code }) => closings.push(code) } });
const beside = all(client, 'subscription { count(to: 3, seconds: 0.3) }');
const fails = await failure(client, 'subscription { fails }');

console.log(JSON.stringify({ fails, beside: (await beside).length, closings: [...closings] }));
process.exit(0);
