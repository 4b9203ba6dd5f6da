import type { CheckedPayload, Interval, Plain } from "./checks.ts";
import type { Cron } from "./cron.ts";
import { type CronOptions, type Declaration, declare, isReserved, type ScheduleOptions, type TaskOptions, type Times } from "./declarations.ts";
import type { TaskMethod } from "./types.ts";

/**
 * A decorator of a method that gets a `Payload`. It works in both conventions: the standard's, and that of TypeScript's
 * `experimentalDecorators`.
 */
export interface TaskDecorator<Payload> {
  <Method extends TaskMethod<Payload>>(method: Method, context: ClassMethodDecoratorContext<any, Method>): void;
  <Method extends TaskMethod<Payload>>(target: object, name: string, descriptor: TypedPropertyDescriptor<Method>): void;
}

/**
 * Says how tasks that call a method run.
 *
 * @example
 * class Mailer extends Scheduler {
 *   @task({ retries: 3, timeoutSeconds: 10 })
 *   async send({ to }: { to: string }) { … }
 * }
 *
 * Throws a `TypeError` if an option is out of its bounds.
 */
export function task(options: TaskOptions = {}): TaskDecorator<never> {
  return decorator("@task", { options });
}

/**
 * Runs a method by a cron expression, or by several. A wrong expression that is written out does not compile.
 *
 * @param expression 5 fields, or 6 with the second first, or a macro such as `@daily`.
 *
 * @example
 * class Reports extends Scheduler {
 *   @cron("0 9 * * MON", { timezone: "Europe/London" })
 *   async send() { … }
 * }
 *
 * Throws a `TypeError` if the expression has another number of fields, or an option is out of its bounds. What else is
 * wrong with a schedule is an error when the class starts.
 */
export function cron<const Expression extends string, const Expressions extends readonly string[], const Payload = undefined>(
  expression: Cron<Expression> | { [Index in keyof Expressions]: Cron<Expressions[Index]> },
  options?: CronOptions<Payload & CheckedPayload<Payload>>,
): TaskDecorator<Plain<Payload>>;
export function cron(expression: string | readonly string[], options: CronOptions<unknown> = {}): TaskDecorator<never> {
  const expressions = Array.isArray(expression) ? expression : [expression];
  if (expressions.length === 0) throw new TypeError("@cron([]): give at least one expression");
  for (const text of expressions) checkCron(text);
  return decorator("@cron", { options, times: { cron: expression } });
}

/**
 * Runs a method at an interval. The first run is one interval after the schedule is first declared. A number below 1 that is written
 * out does not compile.
 *
 * @param seconds The interval, at least 1 second.
 *
 * Throws a `TypeError` if the interval is not a number of at least 1, or an option is out of its bounds.
 */
export function every<const Seconds extends number, const Payload = undefined>(
  seconds: Interval<Seconds>,
  options?: ScheduleOptions<Payload & CheckedPayload<Payload>>,
): TaskDecorator<Plain<Payload>>;
export function every(seconds: number, options: ScheduleOptions<unknown> = {}): TaskDecorator<never> {
  if (!(Number.isFinite(seconds) && seconds >= 1)) throw new TypeError(`@every(${seconds}): give an interval of at least 1 second`);
  return decorator("@every", { options, times: { everySeconds: seconds } });
}

function decorator(name: string, declaration: { options: CronOptions<unknown>; times?: Times }): TaskDecorator<never> {
  checkOptions(name, declaration.options);
  return (target: object, second: unknown, descriptor?: PropertyDescriptor) => {
    if (typeof second !== "object" || second === null) declareLegacy(name, target, second, descriptor, declaration);
    else declareStandard(name, target, second as ClassMethodDecoratorContext, declaration);
  };
}

function declareStandard(name: string, method: object, context: ClassMethodDecoratorContext, declaration: Declaration): void {
  if (context.kind !== "method" || context.static || context.private || typeof context.name !== "string") {
    throw new TypeError(`${name} is for public methods, and ${String(context.name)} is not one`);
  }
  checkName(name, context.name);
  declare(method, context.name, (context.metadata as object | undefined) ?? undefined, declaration);
}

function declareLegacy(name: string, target: object, key: unknown, descriptor: PropertyDescriptor | undefined, declaration: Declaration): void {
  const method: unknown = descriptor?.value;
  if (typeof target === "function" || typeof key !== "string" || typeof method !== "function") {
    throw new TypeError(`${name} is for public methods, and ${String(key)} is not one`);
  }
  checkName(name, key);
  declare(method, key, target, declaration);
}

/** Throws for a method that no task could ever call. */
function checkName(decorator: string, method: string): void {
  if (isReserved(method)) throw new TypeError(`${decorator} is for methods that tasks may call: the runtime calls ${method} itself, or its name begins with _`);
}

const MACROS = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);

/** Checks what can be checked without the scheduler. */
function checkCron(expression: unknown): void {
  if (typeof expression !== "string") throw new TypeError(`@cron(${String(expression)}): give a text`);
  const fields = expression.trim().split(/\s+/).length;
  const isKnown = expression.trim().startsWith("@") ? MACROS.has(expression.trim().toLowerCase()) : fields === 5 || fields === 6;
  if (!isKnown) throw new TypeError(`@cron(${JSON.stringify(expression)}): give 5 fields, 6 with the second first, or a macro such as @daily`);
}

const BOUNDS = { retries: [0, 99], timeoutSeconds: [1, 60], priority: [0, 9] } as const;

function checkOptions(name: string, options: TaskOptions): void {
  for (const [option, [least, most]] of Object.entries(BOUNDS)) {
    const value = options[option as keyof typeof BOUNDS];
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most)) {
      throw new TypeError(`${name}: ${option} is ${value}; give a whole number from ${least} to ${most}`);
    }
  }
  if (options.retries !== undefined && options.retry !== undefined) throw new TypeError(`${name}: give retries or retry, not both`);
}
