// Who asks and what for. Kept for as long as the tab is open, and for this tab only.
const KEYS = { token: "hub:token", purpose: "hub:purpose" };

export function read(name) {
  return sessionStorage.getItem(KEYS[name]) ?? "";
}

/** Whether that is news. */
export function write(name, value) {
  const isNew = read(name) !== value;
  sessionStorage.setItem(KEYS[name], value);
  return isNew;
}

export function authorization() {
  return `Bearer ${read("token")}`;
}
