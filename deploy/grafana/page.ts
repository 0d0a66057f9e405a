/** What all dashboards of Limbeck share: their variables, links between them, and how often they look. */
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { type chart, datasource, type figure, type states, type table } from "./panels.ts";

export type Panel = ReturnType<typeof chart | typeof figure | typeof states | typeof table>;

/** A heading, and what stands under it. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Page {
  /** Its file is of this name. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly sections: readonly Section[];
}

/** Grafana's JSON model of a dashboard. */
export function dashboard({ name, title, description, sections }: Page): string {
  const builder = new DashboardBuilder(`Limbeck: ${title}`)
    .uid(`limbeck-${name}`)
    .description(description)
    .tags(["limbeck"])
    .timezone("browser")
    .time({ from: "now-30m", to: "now" })
    .refresh("10s")
    .tooltip(DashboardCursorSync.Crosshair)
    .editable()
    .link(links())
    .withVariable(new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .withVariable(jobs())
    .withVariable(workers());
  let id = 0;
  for (const section of sections) {
    builder.withRow(new RowBuilder(section.title).id(++id));
    for (const panel of section.panels) builder.withPanel(panel.id(++id));
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function links() {
  return new DashboardLinkBuilder("Limbeck")
    .type(DashboardLinkType.Dashboards)
    .tags(["limbeck"])
    .includeVars(true)
    .keepTime(true);
}

function jobs() {
  return new QueryVariableBuilder("job")
    .label("Job")
    .description("A job of Limbeck, by the name in its job file.")
    .datasource(datasource)
    .query("label_values(limbeck_job_info, limbeck_job)")
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

function workers() {
  return new QueryVariableBuilder("worker")
    .label("Worker")
    .description("Workers of the job, students and teachers.")
    .datasource(datasource)
    .query('label_values(up{limbeck_job="$job", limbeck_role!="coordinator"}, limbeck_worker)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".+")
    .current({ text: "All", value: "$__all" });
}
