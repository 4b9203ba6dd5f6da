// The API's types by short names. They are generated from coordinator/openapi.json.

import type { components } from "../../generated/api";

type Schemas = components["schemas"];

export type Task = Schemas["Task"];
export type TaskList = Schemas["TaskList"];
export type DryRun = Schemas["DryRun"];
export type Callback = Schemas["Callback"];
export type Filter = Schemas["Filter"];
export type Run = Schemas["Run"];
export type RunList = Schemas["RunList"];
export type AllRuns = Schemas["AllRuns"];
export type ErrorGroup = Schemas["ErrorGroup"];
export type Explanation = Schemas["Explanation"];
export type Flight = Schemas["Flight"];
export type Preview = Schemas["Preview"];
export type PreviewRun = Schemas["PreviewRun"];
export type ParsedSentence = Schemas["ParsedSentence"];
export type ParsedReading = Schemas["ParsedReading"];
export type DeadLetterList = Schemas["DeadLetterList"];
export type Stats = Schemas["Stats"];
export type Circuit = Schemas["Circuit"];
export type ShardStats = Schemas["ShardStats"];
export type Series = Schemas["Series"];
export type Forecast = Schemas["Forecast"];
export type Meter = Schemas["Meter"];
export type ShownLimit = Schemas["ShownLimit"];
export type Key = Schemas["Key"];
export type OwnKey = Schemas["OwnKey"];
export type MadeKey = Schemas["MadeKey"];
export type NewKey = Schemas["NewKey"];
export type Namespace = Schemas["Namespace"];
export type Quota = Schemas["Quota"];
export type Calendar = Schemas["Calendar"];
export type ListedCalendar = Schemas["ListedCalendar"];
export type CalendarList = Schemas["CalendarList"];
export type NewCalendar = Schemas["NewCalendar"];
export type Problem = Schemas["Problem"];
export type Health = Schemas["Health"];
export type Scope = Key["scopes"][number];

export type Status = Task["status"];

/** A JSON value, such as a member of a definition that somebody edits. */
export type Json = null | boolean | number | string | Json[] | { [member: string]: Json };
export type JsonObject = { [member: string]: Json };
