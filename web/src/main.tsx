import "uplot/dist/uPlot.min.css";
import "./app.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { start } from "./live.ts";
import { recall } from "./store.ts";

recall();
render(<App />, document.getElementById("app")!);
start();
