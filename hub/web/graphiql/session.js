// What this page remembers: for as long as the tab is open, and for this tab only.
const PREFIX = "hub:";

export function read(name) {
  return sessionStorage.getItem(PREFIX + name) ?? "";
}

export function write(values) {
  for (const [name, value] of Object.entries(values)) sessionStorage.setItem(PREFIX + name, value);
}

/** What was remembered under a name, once. */
export function take(name) {
  const value = read(name);
  forget(name);
  return value;
}

export function forget(...names) {
  for (const name of names) sessionStorage.removeItem(PREFIX + name);
}
