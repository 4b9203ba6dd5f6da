// Checks cron expressions while TypeScript compiles. The scheduler checks them again, with the same rules and more.

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type To23 = Digit | `0${Digit}` | `1${Digit}` | "20" | "21" | "22" | "23";
type To59 = Digit | `${"0" | "1" | "2" | "3" | "4" | "5"}${Digit}`;
type Day = Exclude<Digit, "0"> | `0${Exclude<Digit, "0">}` | `${"1" | "2"}${Digit}` | "30" | "31";
type MonthName = "JAN" | "FEB" | "MAR" | "APR" | "MAY" | "JUN" | "JUL" | "AUG" | "SEP" | "OCT" | "NOV" | "DEC";
type Month = Exclude<Digit, "0"> | `0${Exclude<Digit, "0">}` | "10" | "11" | "12" | MonthName;
type WeekdayName = "SUN" | "MON" | "TUE" | "WED" | "THU" | "FRI" | "SAT";
type Weekday = `${"" | "0"}${"0" | "1" | "2" | "3" | "4" | "5" | "6" | "7"}` | WeekdayName;

type Macro = "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly";

/** The fields of an expression, without the spaces between them. */
type Split<Text extends string> = Text extends `${infer Before}\t${infer After}`
  ? Split<`${Before} ${After}`>
  : Text extends ` ${infer Rest}`
  ? Split<Rest>
  : Text extends `${infer Field} ${infer Rest}`
    ? [Field, ...Split<Rest>]
    : Text extends ""
      ? []
      : [Text];

/** What a field may have in addition to numbers, names, ranges, lists and steps. Of steps, only the digits are checked. */
interface Field {
  value: string;
  special: string;
}
interface Second extends Field {
  value: To59;
  special: never;
}
interface Hour extends Field {
  value: To23;
  special: never;
}
interface DayOfMonth extends Field {
  value: Day;
  special: "?" | "L" | "LW" | `L-${Day}` | `${Day}W`;
}
interface MonthOfYear extends Field {
  value: Month;
  special: never;
}
interface DayOfWeek extends Field {
  value: Weekday;
  special: "?" | `${Weekday}L` | `${Weekday}#${"1" | "2" | "3" | "4" | "5" | "L"}`;
}

/** Whether a text is a number other than 0, as a step must be. */
type IsStep<Text extends string> = Text extends "0" | "00" ? false : IsNumber<Text>;
type IsNumber<Text extends string> = Text extends `${Digit}${infer Rest}` ? (Rest extends "" ? true : IsNumber<Rest>) : false;

/** Whether one part of a list is valid. */
type IsPart<Part extends string, F extends Field> = Part extends `${infer Range}/${infer Step}`
  ? IsStep<Step> extends true
    ? Range extends "*" | `${F["value"]}-${F["value"]}`
      ? true
      : false
    : false
  : Part extends "*" | F["value"] | F["special"]
    ? true
    : Part extends `${infer From}-${infer To}`
      ? [From, To] extends [F["value"], F["value"]]
        ? true
        : false
      : false;

type IsField<Text extends string, F extends Field> = Text extends `${string},${string}` ? IsList<Text, F> : IsPart<Text, F>;

/** Whether a list is valid. A list cannot contain `*` or `?`. */
type IsList<Text extends string, F extends Field> = Text extends `${infer Part},${infer Rest}`
  ? IsItem<Part, F> extends true
    ? IsList<Rest, F>
    : false
  : IsItem<Text, F>;
type IsItem<Text extends string, F extends Field> = Text extends "*" | "?" ? false : IsPart<Text, F>;

/** The names of the fields in order, with the values that each accepts. */
type Five = [
  ["minute", Second, "0-59"],
  ["hour", Hour, "0-23"],
  ["day of the month", DayOfMonth, "1-31"],
  ["month", MonthOfYear, "1-12 or JAN-DEC"],
  ["day of the week", DayOfWeek, "0-7 or SUN-SAT"],
];
type Six = [["second", Second, "0-59"], ...Five];

type CheckFields<Texts extends string[], Fields extends [string, Field, string][]> = Texts extends [
  infer Text extends string,
  ...infer MoreTexts extends string[],
]
  ? Fields extends [infer First extends [string, Field, string], ...infer MoreFields extends [string, Field, string][]]
    ? IsField<Uppercase<Text>, First[1]> extends true
      ? CheckFields<MoreTexts, MoreFields>
      : `"${Text}" is not valid in the ${First[0]} field, which takes ${First[2]}`
    : never
  : true;

type Check<Expression extends string> = Lowercase<Expression> extends Macro
  ? true
  : Expression extends `@${string}`
    ? `${Expression} is not a macro: use @yearly, @monthly, @weekly, @daily or @hourly`
    : Split<Expression> extends infer Texts extends string[]
      ? Texts["length"] extends 5
        ? CheckFields<Texts, Five>
        : Texts["length"] extends 6
          ? CheckFields<Texts, Six>
          : `a cron expression has 5 fields, or 6 with the second first; this has ${Texts["length"]}`
      : never;

/**
 * Returns the type of the expression itself if it is a valid cron expression, and otherwise a text that says what is wrong. TypeScript
 * knows only literal expressions: the type of any other string is `string`.
 *
 * Only the scheduler finds ranges that run backwards, and days that do not exist, such as 30 February.
 */
export type Cron<Expression extends string> = string extends Expression
  ? Expression
  : Check<Expression> extends infer Result extends string
    ? Result
    : Expression;
