import "uplot/dist/uPlot.min.css";
import "./app.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { start } from "./live.ts";
import { startNavigation } from "./navigate.ts";
import { recall, watchTouches } from "./store.ts";

recall();
watchTouches();
startNavigation();
render(<App />, document.getElementById("app")!);
start();
