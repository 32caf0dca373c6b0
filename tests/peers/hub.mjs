// What scripts share that are given the address of a hub with the shop in it: URL TOKEN PURPOSE.
export const [url, token, purpose] = process.argv.slice(2);
export const authorization = `Bearer ${token}`;

export const ANNA = 'query ($by: CustomerBy!) { customer(by: $by) { displayName } }';
export const BY = { by: { email: 'anna@example.com' } };
export const SALE =
  'mutation ($input: RecordOrdersInput!) { recordOrders(input: $input) { results { outcome } } }';
export const SOLD = `subscription { customerChanged(types: ["order.recorded"]) {
  position type customer { displayName } } }`;

// The variables of a sale to Anna; each number is another order.
export function sale(number) {
  const customer = { identifier: { type: 'EMAIL', value: BY.by.email } };
  const order = { externalId: `peer-${number}`, orderedAt: '2026-03-02T10:00:00Z', customer };
  return { input: { source: 'crm', orders: [order] } };
}

export async function sell(number) {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, 'hub-purpose': purpose },
    body: JSON.stringify({ query: SALE, variables: sale(number) }),
  });
  const { data } = await answer.json();
  return data.recordOrders.results[0].outcome;
}

export async function gauge(name) {
  const shown = await (await fetch(`${url}/metrics`)).text();
  return Number(shown.match(new RegExp(`^hub_${name} (.*)$`, 'm'))?.[1] ?? 0);
}

export async function until(name, number) {
  while ((await gauge(name)) !== number) await new Promise((resolve) => setTimeout(resolve, 20));
  return number;
}

// So many items of something endless, which is left then.
export async function some(items, number) {
  const found = [];
  for await (const item of items) if (found.push(item) === number) break;
  return found;
}
