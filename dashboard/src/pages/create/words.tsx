// A field for a schedule in words, which shows how the scheduler understands it before anything is created.

import { useEffect, useState } from "preact/hooks";
import { parseSentence } from "../../api/parse";
import type { ParsedReading, ParsedSentence } from "../../api/types";
import { Button, ErrorNote } from "../../components/basics";
import { TextField } from "../../components/field";
import { HERE, isZone } from "../../lib/time";
import { mayRead } from "../../state/session";
import { textOf, type PartProps } from "./schedule";

const TYPING_MS = 250;

interface ParseState {
  parsed?: ParsedSentence;
  error?: Error;
}

/** Asks the scheduler to read a sentence when it has not changed for a moment. */
function useParse(text: string, zone: string): ParseState {
  const [state, setState] = useState<ParseState>({});
  const isAsked = mayRead.value && text.trim() !== "";
  useEffect(() => {
    if (!isAsked) {
      setState({});
      return;
    }
    const controller = new AbortController();
    const timer = setTimeout(async () => {
      try {
        setState({ parsed: await parseSentence(text, zone, controller.signal) });
      } catch (error) {
        if (!controller.signal.aborted) setState({ error: error as Error });
      }
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text, zone, isAsked]);
  return state;
}

function Reading({ reading }: { reading: ParsedReading }) {
  const ignored = reading.description === undefined ? reading.ignored.map(({ text }) => text).join(" ") : "";
  return (
    <>
      <p>
        Understood: <strong>{reading.sentence}</strong>
      </p>
      {reading.description !== undefined && <p>Description: “{reading.description}”</p>}
      {ignored !== "" && <p class="muted">Says nothing of when: “{ignored}”</p>}
      {reading.assumptions.length > 0 && (
        <ul class="small" aria-label="What the sentence leaves open">
          {reading.assumptions.map(({ text }) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** A sentence to use in place of the typed one, and the description from the typed one. */
interface Offer {
  sentence: string;
  description?: string | undefined;
}

function Parsed({ parsed, choose }: { parsed: ParsedSentence; choose: (offer: Offer) => void }) {
  const { reading, choices, questions, refusal } = parsed;
  if (reading) return <Reading reading={reading} />;
  const offers: Offer[] = choices?.map((choice) => choice.reading) ?? refusal?.near.map((sentence) => ({ sentence })) ?? [];
  return (
    <>
      {questions?.map((question) => (
        <p key={question}>
          <strong>{question}</strong>
        </p>
      ))}
      {refusal && (
        <p class="warn">
          <strong>Not understood{refusal.part.text === "" ? "" : `: “${refusal.part.text}”`}.</strong> {refusal.message}
        </p>
      )}
      {offers.length > 0 && (
        <div class="row" role="group" aria-label={choices ? "Choices" : "Near it"}>
          {offers.map((offer) => (
            <Button key={offer.sentence} onClick={() => choose(offer)}>
              {offer.sentence}
            </Button>
          ))}
        </div>
      )}
    </>
  );
}

/** The field for a sentence. Below it, shows how the scheduler reads the sentence. */
export function WordsField({ definition, set, errorOf }: PartProps) {
  const text = textOf(definition["schedule"]);
  const given = definition["timezone"];
  const choose = ({ sentence, description }: Offer) =>
    set({
      schedule: sentence,
      timezone: given ?? HERE,
      ...(description !== undefined && definition["description"] === undefined ? { description } : {}),
    });
  const { parsed, error } = useParse(text, typeof given === "string" && isZone(given) ? given : HERE);
  return (
    <>
      <TextField
        label="In words"
        value={text}
        placeholder="every monday at 10:00"
        onChange={(schedule) => set({ schedule, timezone: given ?? HERE })}
        help="English or German, such as: remind me to call Ann every monday at 10:00"
        error={errorOf("schedule")}
      />
      <div role="status" class="stack">
        {parsed && <Parsed parsed={parsed} choose={choose} />}
        {error && <ErrorNote error={error} />}
        {!mayRead.value && <p class="muted">A key without “read” cannot ask what a sentence says.</p>}
      </div>
    </>
  );
}
