// The part of the form with the target.

import { useRef } from "preact/hooks";
import type { Json, JsonObject } from "../../api/types";
import { Choice, Fold, TextField } from "../../components/field";
import { openTarget } from "../../lib/aside";
import { isObject } from "../../lib/definition";
import { JsonField, numberOf, textOf, type PartProps, type TypedJson } from "./parts";

const NEW: Readonly<Record<string, JsonObject | undefined>> = {
  default: undefined,
  webhook: { type: "webhook", url: "" },
  handler: { type: "handler", name: "log" },
  queue: { type: "queue", queue: "FIRED_TASKS" },
  service: { type: "service", binding: "", path: "/" },
  "durable-object": { type: "durable-object", binding: "", name: "", path: "/" },
};

const TYPES = [
  ["webhook", "a webhook: an HTTP request to a URL"],
  ["handler", "a handler: a function in the Worker"],
  ["queue", "one of your queues"],
  ["service", "another Worker, by a service binding"],
  ["durable-object", "a Durable Object"],
  ["default", "the default callback of the deployment"],
] as const;

interface WebhookProps {
  callback: JsonObject;
  change: (changes: JsonObject | Record<string, Json | undefined>) => void;
  errorOf: PartProps["errorOf"];
  /** The text of the headers, also while another target is chosen. */
  headers: { current: TypedJson | undefined };
}

function WebhookFields({ callback, change, errorOf, headers: keptIn }: WebhookProps) {
  return (
    <>
      <div class="columns narrow-first">
        <Choice label="Method" value={textOf(callback["method"]) || "POST"} options={["POST", "PUT", "PATCH", "GET", "DELETE"].map((method) => [method, method] as const)} onChange={(method) => change({ method: method === "POST" ? undefined : method })} />
        <TextField label="URL" type="url" isCode placeholder="https://example.com/hook" value={textOf(callback["url"])} onChange={(url) => change({ url })} isRequired error={errorOf("callback.url")} />
      </div>
      <Fold summary="Headers and timeout" isUsed={callback["headers"] !== undefined || keptIn.current?.problem !== undefined || callback["timeoutSeconds"] !== undefined}>
        <div class="stack">
          <JsonField label="Headers, as JSON" keptIn={keptIn} value={callback["headers"]} onChange={(headers) => change({ headers })} error={errorOf("callback.headers")} help={`Such as {"X-Source": "scheduler"}. Keys without the scope “write” do not see the values.`} rows={2} />
          <TextField label="Timeout in seconds" type="number" min="1" value={textOf(callback["timeoutSeconds"])} placeholder="30" onChange={(value) => change({ timeoutSeconds: numberOf(value) })} error={errorOf("callback.timeoutSeconds")} />
        </div>
      </Fold>
    </>
  );
}

export function TargetFields({ definition, aside, set, open, errorOf }: PartProps) {
  const headers = useRef<TypedJson | undefined>(undefined);
  const callback = isObject(definition["callback"]) ? definition["callback"] : undefined;
  const type = callback ? textOf(callback["type"]) : "default";
  const change = (changes: Record<string, Json | undefined>) => set({ callback: Object.fromEntries(Object.entries({ ...callback, ...changes }).filter(([, value]) => value !== undefined)) as JsonObject });
  const text = (name: string, label: string, help?: string) => (
    <TextField label={label} value={textOf(callback?.[name])} onChange={(value) => change({ [name]: value })} isRequired help={help} error={errorOf(`callback.${name}`)} isCode />
  );
  return (
    <fieldset class="panel">
      <legend>What</legend>
      <Choice label="Calls" value={type} options={TYPES} onChange={(to) => open(...openTarget(definition, aside, to, NEW))} error={errorOf("callback") ?? errorOf("callback.type")} />
      {type === "webhook" && callback && <WebhookFields callback={callback} change={change} errorOf={errorOf} headers={headers} />}
      {type === "handler" && text("name", "Handler", "Every deployment has the handler “log”, which writes the task to the log of the Worker.")}
      {type === "queue" && text("queue", "Queue binding", "The binding of a queue. The setting QUEUE_BINDINGS lists those that tasks may use.")}
      {(type === "service" || type === "durable-object") && (
        <div class="columns">
          {text("binding", "Binding", type === "service" ? "The setting SERVICE_BINDINGS lists those that tasks may use." : "The setting DURABLE_OBJECT_BINDINGS lists those that tasks may use.")}
          {type === "durable-object" && text("name", "Name of the object")}
          {callback?.["function"] === undefined ? text("path", "Path") : text("function", "Function")}
        </div>
      )}
      <JsonField label="Payload, as JSON" value={definition["payload"]} onChange={(payload) => set({ payload })} error={errorOf("payload")} help="Sent to the target with each run, up to 64 KB." />
    </fieldset>
  );
}
