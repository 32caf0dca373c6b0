// Who asks, and what for: of everything that is asked below.
import { useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";

import { viewer } from "./asking.js";
import { write } from "./session.js";
import { hub, isAtHome, LEFT, paste, signIn, signOut } from "./signing.js";

/** The bar, as the page begins: `who` asks, or nobody, and what went wrong. */
export function Bar({ begun }) {
  const { introspect } = useGraphiQLActions();
  const [{ who, trouble, isOut }, show] = useState(begun);

  useEffect(() => {
    const leave = () => show({});
    addEventListener(LEFT, leave);
    return () => removeEventListener(LEFT, leave);
  }, []);

  function attempt(work) {
    work().catch((error) => show({ trouble: error.message }));
  }

  async function use(token) {
    paste(token);
    show({ who: await viewer() });
    introspect();
  }

  async function leave() {
    await signOut();
    show({ isOut: Boolean(who.user) });
  }

  function choose(purpose) {
    write({ purpose });
    show({ who: { ...who, purpose } });
  }

  return (
    <div className="bar">
      <strong>Customer hub</strong>
      {who ? (
        <>
          <Purposes of={who} choose={choose} />
          <span className="who">{who.user ?? who.client}</span>
          <button type="button" name="leave" onClick={() => attempt(leave)}>
            {who.user ? "Sign out" : "Forget the token"}
          </button>
        </>
      ) : (
        <>
          <Entrance enter={() => attempt(signIn)} />
          <Pasting use={(token) => attempt(() => use(token))} />
        </>
      )}
      {isOut && (
        <span>
          Signed out of this page; <a href={`${hub}/oauth/logout`}>of the hub too</a>
        </span>
      )}
      {trouble && <span role="alert">{trouble}</span>}
    </div>
  );
}

function Purposes({ of, choose }) {
  return (
    <label>
      Purpose
      <select name="purpose" value={of.purpose} onChange={({ target }) => choose(target.value)}>
        {of.purposes.map((purpose) => (
          <option key={purpose}>{purpose}</option>
        ))}
      </select>
    </label>
  );
}

// People come back to the address that the hub knows itself by, and only there.
function Entrance({ enter }) {
  if (!isAtHome) return <a href={`${hub}/graphiql/`}>Sign in at {hub}</a>;
  return (
    <button type="button" name="enter" onClick={enter}>
      Sign in
    </button>
  );
}

function Pasting({ use }) {
  function submit(event) {
    event.preventDefault();
    use(new FormData(event.currentTarget).get("token").trim());
    event.currentTarget.reset();
  }

  return (
    <form onSubmit={submit}>
      <label>
        or with a token
        <input
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="paste it here"
          required
        />
      </label>
      <button type="submit">Use</button>
      <span className="hint">
        <code>hub client token NAME</code> prints one. It stays in this tab.
      </span>
    </form>
  );
}
