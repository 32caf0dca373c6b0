// A tab that was copied has the same memory as the first one. Both would renew with one refresh
// token, and one that comes twice ends everything: so the copy begins with nobody.
import { read, write } from "./session.js";

const PATIENCE = 2000; // milliseconds in which a page that is reloaded lets go

/** Whether this tab is a copy of one that is open. From then on it is a tab of its own. */
export async function isCopy() {
  const known = read("tab");
  if (known && (await hold(known))) return false;
  const tab = crypto.randomUUID();
  write({ tab });
  await hold(tab);
  return Boolean(known);
}

/** Whether nobody else holds this name; then it is ours for as long as the page is open. */
function hold(tab) {
  return new Promise((resolve) => {
    const keep = () => new Promise(() => resolve(true));
    const options = { signal: AbortSignal.timeout(PATIENCE) };
    navigator.locks.request(`hub:${tab}`, options, keep).catch(() => resolve(false));
  });
}
