import { useEffect, useRef, useState } from "preact/hooks";
import type { JsonObject } from "../../api/types";
import { TextArea } from "../../components/field";
import { hasRoundedNumber, isEqual, parseObject, ROUNDED } from "../../lib/definition";

/** The label of the field. */
export const JSON_LABEL = "Definition, as JSON";

/** The JSON of a definition. The user can change it here or in the form. */
export function DefinitionJson({ definition, onChange }: { definition: JsonObject; onChange: (definition: JsonObject) => void }) {
  const [text, setText] = useState(() => JSON.stringify(definition, null, 2));
  const [error, setError] = useState<string>();
  // The last parsed definition. If the definition is another one, the form has changed it, and the text is written again.
  const parsed = useRef(definition);
  useEffect(() => {
    if (isEqual(parsed.current, definition)) return;
    parsed.current = definition;
    setText(JSON.stringify(definition, null, 2));
    setError(undefined);
  }, [definition]);
  const change = (typed: string) => {
    setText(typed);
    try {
      const next = parseObject(typed);
      const isRounded = hasRoundedNumber(typed);
      setError(isRounded ? ROUNDED : undefined);
      if (isRounded) return;
      parsed.current = next;
      onChange(next);
    } catch (problem) {
      setError(`Not JSON yet: ${(problem as Error).message}`);
    }
  };
  return <TextArea label={JSON_LABEL} rows={14} value={text} onChange={change} error={error} isUnread={error !== undefined} />;
}
