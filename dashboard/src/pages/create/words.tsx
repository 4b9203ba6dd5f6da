// A field for a schedule in words, which shows how the scheduler understands it before anything is created.

import { useEffect, useState } from "preact/hooks";
import { parseSentence } from "../../api/parse";
import type { ParsedReading, ParsedSentence } from "../../api/types";
import { ApiText, Button, ErrorNote, Time } from "../../components/basics";
import { TextField } from "../../components/field";
import { useCalendars } from "../../components/use-calendars";
import { messageWith, offersWith } from "../../lib/sentence-calendars";
import { HERE, isZone, splitAtInstants } from "../../lib/time";
import { mayRead } from "../../state/session";
import { textOf, type PartProps } from "./parts";
import { WordsCalendars } from "./words-calendars";

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
        Understood:{" "}
        <strong>
          <ApiText>{reading.sentence}</ApiText>
        </strong>
        {/* The sentence is in UTC if the phrase names no time of day. */}
        {splitAtInstants(reading.sentence).map(
          (part) =>
            typeof part === "number" &&
            HERE !== "UTC" && (
              <span class="muted" key={part}>
                {" "}
                (<Time at={part} zone="UTC" isBare /> UTC)
              </span>
            ),
        )}
      </p>
      {reading.description !== undefined && <p>Description: “{reading.description}”</p>}
      {ignored !== "" && <p class="muted">Not part of the schedule: “{ignored}”</p>}
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

/** Asks the language model of the deployment for a sentence that the grammar reads. It costs money, so only the button asks it. */
function AskModel({ text, zone, choose }: { text: string; zone: string; choose: (offer: Offer) => void }) {
  const [{ parsed, error, isAsking }, setState] = useState<ParseState & { isAsking?: boolean }>({});
  const ask = async () => {
    setState({ isAsking: true });
    try {
      setState({ parsed: await parseSentence(text, zone, undefined, true) });
    } catch (error) {
      setState({ error: error as Error });
    }
  };
  const reading = parsed?.model?.reading;
  const detail = parsed?.model?.detail;
  return (
    <>
      <div class="row">
        <Button onClick={ask} disabled={isAsking === true}>
          {isAsking ? "The model is reading it…" : "Ask the language model"}
        </Button>
      </div>
      {error && <ErrorNote error={error} />}
      {detail !== undefined && <p class="warn">{detail}</p>}
      {reading && (
        <>
          <p>
            The model proposes: <strong>{reading.sentence}</strong>
            {reading.description !== undefined && <> with the description “{reading.description}”</>}. Is that what you mean?
          </p>
          <div class="row">
            <Button onClick={() => choose(reading)}>Use it</Button>
          </div>
        </>
      )}
    </>
  );
}

interface ParsedProps {
  parsed: ParsedSentence;
  text: string;
  zone: string;
  /** The names of the calendars of the namespace; undefined while they are not known. */
  names: readonly string[] | undefined;
  choose: (offer: Offer) => void;
}

function Parsed({ parsed, text, zone, names, choose }: ParsedProps) {
  const { reading, choices, questions, refusal, model } = parsed;
  if (reading) return <Reading reading={reading} />;
  const near = refusal && (names ? offersWith(refusal.near, text, names, parsed.language) : refusal.near);
  const offers: Offer[] = choices?.map((choice) => choice.reading) ?? near?.map((sentence) => ({ sentence })) ?? [];
  return (
    <>
      {questions?.map((question) => (
        <p key={question}>
          <strong>{question}</strong>
        </p>
      ))}
      {refusal && (
        <p class="warn">
          <strong>Not understood{refusal.part.text === "" ? "" : `: “${refusal.part.text}”`}.</strong> {names ? messageWith(refusal.message, names) : refusal.message}
        </p>
      )}
      {offers.length > 0 && (
        <div class="row" role="group" aria-label={choices ? "Choices" : "Near it"}>
          {offers.map((offer) => (
            <Button key={offer.sentence} class="wraps" onClick={() => choose(offer)}>
              {offer.sentence}
            </Button>
          ))}
        </div>
      )}
      {model?.outcome === "available" && <AskModel key={text} text={text} zone={zone} choose={choose} />}
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
  const zone = typeof given === "string" && isZone(given) ? given : HERE;
  const { parsed, error } = useParse(text, zone);
  const calendars = useCalendars();
  const names = calendars?.map(({ name }) => name);
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
        {parsed && <Parsed parsed={parsed} text={text} zone={zone} names={names} choose={choose} />}
        {error && <ErrorNote error={error} />}
        {!mayRead.value && <p class="muted">Your key cannot show how a sentence is understood: it lacks the scope “read”.</p>}
      </div>
      <WordsCalendars calendars={calendars} text={text} language={parsed?.language ?? "en"} onChange={(schedule) => set({ schedule, timezone: given ?? HERE })} />
    </>
  );
}
