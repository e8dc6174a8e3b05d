/**
 * The words that generated datasets are made of. Changing anything here changes every generated row, and with it the
 * golden digest in test/scripts/bench/generate.test.ts and the comparability of older measurements.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/u);
const phrases = (text: string): readonly string[] => text.split('|').map((phrase) => phrase.trim());

/** What a person can ask about: the first half of an intent's name, and the noun phrases that mean it. */
export const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  account: phrases('my account|account|the joint account|my savings account|our business account|our old account'),
  appointment: phrases('my appointment|appointment|our home visit|our consultation|the check-up|the viewing'),
  booking: phrases(
    'my booking|booking|our reservation|the hotel room|the table for two|my holiday booking|the rental car',
  ),
  contract: phrases('my contract|contract|the lease|our agreement|the electricity contract|the terms i signed'),
  credit_card: phrases('my credit card|credit card|the second card|my company card|the gold card|our shared card'),
  delivery: phrases('my delivery|delivery|the parcel|our shipment|the package|the two boxes|my registered letter'),
  device: phrases('my phone|phone|the tablet|our dishwasher|my smart watch|the new printer|the washing machine'),
  flight: phrases('my flight|flight|the return flight|our connecting flight|both tickets|my window seat'),
  insurance: phrases(
    'my insurance|insurance|the car insurance|our travel insurance|the household policy|my dental cover',
  ),
  internet: phrases('my internet|internet|the router|our fibre line|the broadband connection|the mobile data'),
  invoice: phrases('my invoice|invoice|the last bill|our monthly statement|the payment slip|the repair bill'),
  loan: phrases('my loan|loan|the mortgage|our credit line|the student loan|the instalments|my car financing'),
  order: phrases(
    'my order|order|the shoes i bought|our last purchase|the order from yesterday|the gift|the spare part',
  ),
  subscription: phrases(
    'my subscription|subscription|the newspaper|our streaming plan|the premium plan|my gym membership',
  ),
  voucher: phrases('my voucher|voucher|the gift card|our loyalty points|the discount code|the birthday coupon'),
};

/** One way to ask: `please` fits behind "can you" and "i want to", `ask` is a sentence start of its own. */
export interface Action {
  readonly please: readonly string[];
  readonly ask: readonly string[];
}

/** What a person can want: the second half of an intent's name. No two actions share a phrase. */
export const ACTIONS: Readonly<Record<string, Action>> = {
  cancel: {
    please: phrases('cancel|call off|terminate|get rid of|stop'),
    ask: phrases('i no longer need|i changed my mind about|get me out of'),
  },
  change: {
    please: phrases('change|update|modify|correct|adjust'),
    ask: phrases('there is a mistake in|the details are outdated for|how do i edit'),
  },
  complain: {
    please: phrases('complain about|report a problem with|raise an issue with'),
    ask: phrases('something is wrong with|i am really unhappy with|nobody helps me with|i have had trouble with'),
  },
  explain: {
    please: phrases('understand|know more about|learn how to use'),
    ask: phrases(
      'explain|i do not understand|tell me more about|what exactly is included in|what are the conditions of',
    ),
  },
  find: {
    please: phrases('find|look up|see|locate'),
    ask: phrases('show me|where can i see|i cannot find|i lost the details of|do you have records of'),
  },
  open: {
    please: phrases('set up|open|get|arrange'),
    ask: phrases('what do i need for|how do i apply for|i am interested in'),
  },
  refund: {
    please: phrases('return|claim a refund for|get money back for'),
    ask: phrases('i was charged twice for|when do you reimburse|i paid too much for'),
  },
  renew: {
    please: phrases('renew|extend|prolong'),
    ask: phrases('how long can i keep|is it too late to continue|when must i renew'),
  },
  status: {
    please: phrases('check|check the status of|get an update on'),
    ask: phrases('where is|what is the status of|is there any news about|what is happening with|how far are you with'),
  },
  transfer: {
    please: phrases('transfer|hand over|pass on|move'),
    ask: phrases('somebody else should take over|who can i give|how do i sign over'),
  },
};

/** Before a sentence of any kind. */
export const GREETINGS = phrases(
  `hi|hello|hey|good morning|good evening|hello there|hi team|dear support|ok so|sorry|excuse me|hey there|
  quick question|urgent`,
);
/** Before what a person wants done. */
export const REQUESTS = phrases(
  `can i|i want to|i would like to|i'd like to|i need to|is it possible to|how can i|how do i|help me to|i have to|
  i am trying to|am i able to|i wanted to|my wife wants to|where can i|i forgot to|we need to|please let me`,
);
/** At the end of any text. */
export const CLOSINGS = phrases(
  `please|thanks|thank you|asap|today if possible|many thanks|it is urgent|if you can|right now|by tomorrow|
  thanks in advance|let me know|cheers|no rush|again|before the weekend|any help appreciated`,
);

export const WEEKDAYS = words('monday tuesday wednesday thursday friday saturday sunday');
export const MONTHS = words('january february march april may june july august september october november december');

export const FIRST_NAMES = words(`
  Aaron Abena Adam Adele Aisha Akira Alan Alba Alice Amara Amir Ana Anders Andrea Anika Anton Aoife Arjun Astrid Ayodele
  Beatriz Ben Bilal Bjarne Blanca Boris Brigid Bruno Camille Carla Carlos Cecilia Chen Chiara Chloe Clara Cora Cyrus
  Dalia Dan Daria David Deniz Diego Dina Dmitri Dora Edith Ekene Elena Eli Elif Emil Emma Enzo Erik Esra Esther Eva
  Fadi Farah Fatima Felix Fiona Frank Freya Gabriel Gemma George Gita Greta Hana Hannah Harun Hassan Heidi Helen Hugo
  Ian Ida Igor Imani Ines Ingrid Irene Isaac Ismail Ivan Jack Jamal Jan Jana Javier Jens Joan Joel Jonas Joy Juan Judith
  Julia Kai Kamal Karin Karl Kasia Kaya Keiko Kenji Kim Kofi Lara Lars Laura Layla Lea Leon Lidia Liam Lina Linh Lior
  Lucas Lucia Luis Magda Maja Malik Mara Marco Maria Marta Mateo Maya Mei Mila Milan Mina Miriam Mona Musa Nadia Naomi
  Nils Nina Noah Nora Nuno Olga Oliver Omar Oscar Otto Paolo Paula Pavel Pedro Petra Priya Quinn Rafael Rahel Rami Rana
  Ravi Rita Robin Rosa Ruth Samir Samuel Sara Selma Simon Sofia Sonja Stefan Sven Tara Tariq Tess Theo Thomas Tilda Timo
  Tomas Uma Ursula Vera Victor Vidya Wanda Wei Wilma Xenia Yara Yasmin Yuki Yusuf Zane Zoe Zora`);

export const CITIES = words(`
  Aachen Aberdeen Accra Adelaide Amsterdam Antwerp Athens Atlanta Auckland Baku Bangalore Barcelona Basel Belfast Bergen
  Berlin Bern Bilbao Bogota Bologna Bordeaux Boston Bremen Bristol Brno Brussels Bucharest Budapest Cairo Calgary Cardiff
  Casablanca Chicago Cologne Copenhagen Cordoba Cork Dakar Dallas Delhi Denver Dortmund Dresden Dublin Durban Edinburgh
  Essen Florence Frankfurt Gdansk Geneva Genoa Ghent Glasgow Gothenburg Granada Graz Hamburg Hanoi Helsinki Houston
  Innsbruck Istanbul Izmir Jakarta Karachi Kiel Kigali Kinshasa Kobe Krakow Kyoto Lagos Lausanne Leeds Leipzig Liege
  Lille Lima Limerick Linz Lisbon Liverpool Ljubljana London Luanda Lucerne Lyon Madrid Mainz Malaga Malmo Manchester
  Manila Marseille Melbourne Memphis Miami Milan Mombasa Montreal Mumbai Munich Nagoya Nairobi Nantes Naples Nice
  Nuremberg Odense Oporto Osaka Oslo Ottawa Palermo Paris Parma Perth Phoenix Pisa Portland Poznan Prague Quito Rabat
  Reims Riga Rome Rostock Rotterdam Salzburg Santiago Sapporo Seattle Seoul Seville Sofia Split Stockholm Stuttgart
  Sydney Tallinn Tampere Tokyo Toronto Toulouse Trieste Tunis Turin Uppsala Utrecht Valencia Vancouver Verona Vienna
  Vilnius Warsaw Wellington Winnipeg Wroclaw York Zagreb Zurich`);

/** Syllables of made-up surnames and brands: real ones would be somebody's. */
const SURNAME_PARTS = [
  words(
    'Al Bar Bel Bran Cal Dal Del Dor El Fal Far Gar Gol Hal Har Hol Kar Kel Kor Lan Lin Lor Mal Mar Mor Nor Or Pel Ran Rol Sal Sor Tal Tor Val Ver Vol Wal Wen Zan',
  ),
  words('a e i o an en in on ar er or al el il ol and end ist ov as es is'),
  words(
    'berg dal den der dez field ford gren holm kamp ko land ley lund man mann mos nen ni quist ra ro ski son sen stad stein ti ton vik wald well wood',
  ),
] as const;
const BRAND_PARTS = [
  words('Ac Bri Cel Cor Del Do Ec Fi Fla Gla Hy In Ju Kri Lu Mo Ne No O Pri Qua Ra Sa Ti Tri U Ve Vo Xe Zi'),
  words('bo da do la lo ma mi na no ra ri ro sa ta ti va vi zo'),
  words('bit cast dex flex gen kit lab lex link max mo net nova pay plus ra tec tel tron vo'),
] as const;

export const SURNAMES = compound(SURNAME_PARTS, 1500);
export const BRANDS = compound(BRAND_PARTS, 600);

/** Reasons are a conjunction, a subject and what it did, each of which fits the others. */
export const REASON_PARTS = [
  phrases('because|because|since|as'),
  phrases(
    `my address|the price|my number|the date|the email|my name|the app|your website|the agent|my bank|the shop|
    the driver|your colleague|the machine|the letter|my boss|the hotline|the form|the system|the website`,
  ),
  phrases(
    `was wrong|has changed|failed|keeps failing|went missing|never answered|said no|messed up|was slow|
    shows errors|looks different|was absent|told me|is outdated|asked me|is useless`,
  ),
] as const;

export const ROLES = words('engineer sales support manager finance marketing legal operations designer trainee');
export const LOCATIONS = words('berlin nairobi osaka remote london toronto madrid warsaw singapore bogota');

/** Joins one part of each kind into made-up names: `count` of them, spread over all there are. */
function compound(parts: readonly (readonly string[])[], count: number): readonly string[] {
  const all = parts.reduce<readonly string[]>(
    (heads, tails) => heads.flatMap((head) => tails.map((tail) => head + tail)),
    [''],
  );
  // 7919 is a prime that divides none of the sizes, so no name comes twice.
  return Array.from({ length: count }, (_, at) => all[(at * 7919) % all.length] as string);
}
