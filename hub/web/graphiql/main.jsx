// The page: a bar with who asks and what for, and GraphiQL below it.
import "graphiql/setup-workers/vite";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./page.css";

import { DOC_EXPLORER_PLUGIN, DocExplorerStore } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryStore } from "@graphiql/plugin-history";
import { GraphiQLProvider } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface } from "graphiql";
import { createRoot } from "react-dom/client";

import { viewer } from "./asking.js";
import { Bar } from "./bar.jsx";
import { fetcher } from "./fetcher.js";
import { arrive } from "./signing.js";

const FIRST_QUERY = `# Ctrl-Space completes,
# Ctrl-Enter sends; the book
# on the left explains it all.

query FirstCustomers {
  customers(first: 5) {
    edges {
      node {
        id
        displayName
      }
    }
  }
}
`;

// A strange answer in the address is told, and takes nothing from whoever is signed in.
async function begin() {
  const troubles = [];
  const note = (error) => void troubles.push(error.message);
  await arrive().catch(note);
  return { who: await viewer().catch(note), trouble: troubles[0] };
}

const begun = await begin(); // before the editor asks for the schema

// What follows # stays in the browser, so a link to a query leaves no trace in a server's log.
const linkedQuery = new URLSearchParams(location.hash.slice(1)).get("query") ?? undefined;

// Queries may name people: what is typed is forgotten with the tab, as the token is.
createRoot(document.querySelector("#root")).render(
  <GraphiQLProvider
    fetcher={fetcher}
    storage={sessionStorage}
    defaultQuery={FIRST_QUERY}
    initialQuery={linkedQuery}
    inputValueDeprecation
    schemaDescription
    plugins={[DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN]}
    referencePlugin={DOC_EXPLORER_PLUGIN}
  >
    <DocExplorerStore>
      <HistoryStore>
        <Bar begun={begun} />
        <GraphiQLInterface>
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
        </GraphiQLInterface>
      </HistoryStore>
    </DocExplorerStore>
  </GraphiQLProvider>,
);
