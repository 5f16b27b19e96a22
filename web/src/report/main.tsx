import "uplot/dist/uPlot.min.css";
import "./report.css";
import { render } from "preact";
import { BROWSER, namedZone, setZone } from "../format.ts";
import { watchTheme } from "../store.ts";
import { read, View } from "./data.ts";
import { Page } from "./report.tsx";

const report = read();
setZone(namedZone(report.zone) ?? BROWSER);
document.title = `vedette: ${report.files.join(", ")}`;
watchTheme();
render(<Page view={new View(report)} />, document.getElementById("app")!);
