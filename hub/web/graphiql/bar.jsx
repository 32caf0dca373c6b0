// The token and the purpose of everything this page asks.
import { useGraphiQLActions } from "@graphiql/react";

import { read, write } from "./session.js";

const PURPOSES = [
  "customer_service",
  "analytics",
  "profiling",
  "email_marketing",
  "sms_marketing",
  "phone_marketing",
  "ads_audiences",
  "ads_personalization",
  "partner_sharing",
  "data_subject_rights",
];

export function Bar() {
  const { introspect } = useGraphiQLActions();

  function keep({ currentTarget }) {
    const given = new FormData(currentTarget);
    const news = ["token", "purpose"].map((name) => write(name, given.get(name).trim()));
    if (news.includes(true)) introspect();
  }

  function submit(event) {
    event.preventDefault();
    keep(event);
  }

  return (
    <form className="bar" onSubmit={submit} onBlur={keep}>
      <strong>Customer hub</strong>
      <label>
        Token
        <input
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          defaultValue={read("token")}
          placeholder="paste it here"
        />
      </label>
      <label>
        Purpose
        <input
          name="purpose"
          list="purposes"
          autoComplete="off"
          spellCheck={false}
          defaultValue={read("purpose")}
          placeholder="the token's only one"
        />
      </label>
      <datalist id="purposes">
        {PURPOSES.map((purpose) => (
          <option key={purpose} value={purpose} />
        ))}
      </datalist>
      <button type="submit">Use</button>
      <span className="hint">
        <code>hub client token NAME</code> prints a token. It stays in this tab.
      </span>
    </form>
  );
}
