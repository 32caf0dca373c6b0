// What a shop wants of the hub, in the shop's own words.
import {
  CardDocument,
  PageDocument,
  RecordOrdersDocument,
  SearchDocument,
  type CardQuery,
  type CustomerBy,
  type CustomerWhere,
  type OrderRecordInput,
  type PageQuery,
} from './generated/graphql.js';
import type { Hub } from './hub.js';

export type Card = NonNullable<CardQuery['customer']>;
export type Listed = PageQuery['customers']['nodes'][number];

/** Everything about one person; null where there is nobody, or nobody whom the purpose allows. */
export async function card(hub: Hub, by: CustomerBy): Promise<Card | null> {
  return (await hub.ask(CardDocument, { by })).customer;
}

/** All customers, each of them once, whatever is written meanwhile. */
export async function* everyone(hub: Hub, where?: CustomerWhere, first = 200): AsyncGenerator<Listed> {
  let after: string | null = null;
  do {
    const answer: PageQuery = await hub.ask(PageDocument, { where: where ?? null, first, after });
    const { nodes, pageInfo } = answer.customers;
    yield* nodes;
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
}

/** Those whom one means by what one types into a search box. */
export async function search(hub: Hub, text: string) {
  const { nodes, totalCount, hasMore } = (await hub.ask(SearchDocument, { text })).customers;
  return { nodes, total: hasMore ? 'more than 10,000' : totalCount };
}

/** Record orders, up to 500 at once; the same ones again change nothing. */
export async function sell(hub: Hub, source: string, orders: OrderRecordInput[]) {
  const { recordOrders } = await hub.ask(RecordOrdersDocument, { input: { source, orders } });
  return recordOrders?.results ?? [];
}
