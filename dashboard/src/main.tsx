// The first two modules must run before all others.
import "./lib/locale";
import "./lib/rescue";
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/components.css";
import "./styles/lists.css";
import "./styles/pages.css";
import "./styles/overview.css";
import "./styles/agenda.css";
import "./state/theme";
import "./state/shortcuts";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App />, root);
