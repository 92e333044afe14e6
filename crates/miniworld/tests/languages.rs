//! What the grammars say: chosen sentences word by word, and laws that hold for every sentence.

use miniworld::tasks::{Told, choices, sentences, tagged, trees};
use miniworld::world::{
    Cause, City, Company, Country, Event, Fact, Institution, InstitutionKind, Person, Place, Role, Thing, Work,
    WorkKind,
};
use miniworld::{Front, Language, Reference, Style};
use spec::Split;

const ANNA_NOVAK: Person = Person { given: 0, family: 0 };
const DANIEL_SILVA: Person = Person { given: 26, family: 15 };
const KAZAN: City = City(11);
const ISTANBUL: City = City(12);
const CAIRO: City = City(16);
const ATHENS: City = City(24);

fn fact(event: Event, place: Option<Place>, year: Option<u16>) -> Fact {
    Fact { event, place, year }
}

fn moved() -> Fact {
    let event = Event::Moved { person: ANNA_NOVAK, from: Some(KAZAN) };
    fact(event, Some(Place::Country(Country(6))), Some(1960))
}

fn founded() -> Fact {
    let institution = Institution { kind: InstitutionKind::Museum, city: CAIRO };
    fact(Event::Founded { person: ANNA_NOVAK, institution }, None, Some(1950))
}

fn closed() -> Fact {
    let institution = Institution { kind: InstitutionKind::University, city: ATHENS };
    fact(Event::Closed { institution, cause: Some(Cause::Fire) }, None, Some(1988))
}

fn opened(count: u16, thing: Thing) -> Fact {
    fact(Event::Opened { company: Company(0), count, thing }, Some(Place::City(CAIRO)), Some(1930))
}

fn wrote() -> Fact {
    let work = Work { kind: WorkKind::Opera, title: 1 };
    fact(Event::Created { person: DANIEL_SILVA, work }, None, Some(1944))
}

fn met() -> Fact {
    fact(Event::Met { person: DANIEL_SILVA, other: ANNA_NOVAK }, Some(Place::City(ISTANBUL)), Some(1923))
}

fn bought() -> Fact {
    fact(Event::Bought { company: Company(0), target: Company(1) }, None, Some(1955))
}

fn plain(language: Language, fact: &Fact) -> String {
    language.say(fact, Style::PLAIN).text()
}

fn passive(language: Language, fact: &Fact) -> String {
    language.say(fact, Style { passive: true, ..Style::PLAIN }).text()
}

#[test]
fn english_asks_with_did_and_inverts_the_passive() {
    let language = Language::English;
    assert_eq!(plain(language, &moved()), "Anna Novak moved from Kazan to Turkey in 1960.");
    assert_eq!(passive(language, &founded()), "The Museum of Cairo was founded by Anna Novak in 1950.");
    let born = fact(Event::Born(ANNA_NOVAK), Some(Place::City(KAZAN)), None);
    assert_eq!(language.ask(&born, Role::Place).unwrap().text(), "Where was Anna Novak born?");
    assert_eq!(language.ask(&closed(), Role::Cause).unwrap().text(), "Why did the University of Athens close in 1988?");
    let undated = Fact { year: None, ..moved() };
    assert_eq!(language.ask(&undated, Role::Place).unwrap().text(), "To where did Anna Novak move from Kazan?");
    let undated = Fact { event: Event::Moved { person: ANNA_NOVAK, from: None }, ..undated };
    assert_eq!(language.ask(&undated, Role::Place).unwrap().text(), "Where did Anna Novak move?");
}

#[test]
fn german_puts_the_verb_second_and_articles_in_their_case() {
    let language = Language::German;
    assert_eq!(plain(language, &moved()), "Anna Novak zog 1960 von Kasan in die Türkei.");
    assert_eq!(passive(language, &founded()), "Das Museum von Kairo wurde 1950 von Anna Novak gegründet.");
    assert_eq!(plain(language, &wrote()), "Daniel Silva komponierte 1944 die Oper „Der Garten“.");
    assert_eq!(plain(language, &closed()), "Die Universität Athen schloss 1988 wegen eines Brandes.");
    let first = Style { front: Front::Place, ..Style::PLAIN };
    assert_eq!(
        language.say(&opened(12, Thing::Shop), first).text(),
        "In Kairo eröffnete die Firma Orion 12 Läden im Jahr 1930."
    );
    let born = fact(Event::Born(DANIEL_SILVA), Some(Place::Country(Country(6))), Some(1901));
    assert_eq!(plain(language, &born), "Daniel Silva wurde 1901 in der Türkei geboren.");
}

#[test]
fn greek_articles_merge_and_keep_their_nu_where_it_belongs() {
    let language = Language::Greek;
    assert_eq!(plain(language, &moved()), "Η Άννα Νόβακ μετακόμισε από το Καζάν στην Τουρκία το 1960.");
    assert_eq!(passive(language, &founded()), "Το Μουσείο του Καΐρου ιδρύθηκε από την Άννα Νόβακ το 1950.");
    assert_eq!(plain(language, &met()), "Ο Ντάνιελ Σίλβα γνώρισε την Άννα Νόβακ στην Κωνσταντινούπολη το 1923.");
    let born = fact(Event::Born(DANIEL_SILVA), Some(Place::Country(Country(20))), None);
    assert_eq!(language.ask(&born, Role::Subject).unwrap().text(), "Ποιος γεννήθηκε στον Καναδά;");
}

#[test]
fn spanish_agrees_and_marks_persons() {
    let language = Language::Spanish;
    assert_eq!(passive(language, &founded()), "El Museo de El Cairo fue fundado por Anna Novak en 1950.");
    assert_eq!(passive(language, &wrote()), "La ópera «El jardín» fue compuesta por Daniel Silva en 1944.");
    assert_eq!(plain(language, &met()), "Daniel Silva conoció a Anna Novak en Estambul en 1923.");
    let asked = language.ask(&opened(3, Thing::Shop), Role::Count).unwrap().text();
    assert_eq!(asked, "¿Cuántas tiendas abrió la empresa Orion en El Cairo en 1930?");
    let ask = |role| language.ask(&bought(), role).unwrap().text();
    assert_eq!(ask(Role::Object), "¿Qué empresa fue comprada por la empresa Orion en 1955?");
    assert_eq!(ask(Role::Subject), "¿Por qué empresa fue comprada la empresa Vega en 1955?");
    assert_eq!(plain(language, &bought()), "La empresa Orion compró la empresa Vega en 1955.");
}

#[test]
fn russian_declines_names_and_counts() {
    let language = Language::Russian;
    assert_eq!(plain(language, &moved()), "Анна Новак переехала из Казани в Турцию в 1960 году.");
    assert_eq!(passive(language, &wrote()), "Опера «Сад» была написана Даниэлем Силвой в 1944 году.");
    assert_eq!(plain(language, &met()), "Даниэль Силва познакомился с Анной Новак в Стамбуле в 1923 году.");
    assert_eq!(plain(language, &closed()), "Университет Афин закрылся из-за пожара в 1988 году.");
    assert_eq!(plain(language, &opened(21, Thing::School)), "Компания «Орион» открыла 21 школу в Каире в 1930 году.");
    assert_eq!(plain(language, &opened(22, Thing::Shop)), "Компания «Орион» открыла 22 магазина в Каире в 1930 году.");
    assert_eq!(plain(language, &opened(12, Thing::Shop)), "Компания «Орион» открыла 12 магазинов в Каире в 1930 году.");
    let born = fact(Event::Born(DANIEL_SILVA), Some(Place::Country(Country(8))), None);
    assert_eq!(plain(language, &born), "Даниэль Силва родился в Египте.");
    let died = fact(Event::Died(ANNA_NOVAK), Some(Place::Country(Country(1))), None);
    assert_eq!(plain(language, &died), "Анна Новак умерла во Франции.");
    let asked = language.ask(&opened(5, Thing::Shop), Role::Count).unwrap().text();
    assert_eq!(asked, "Сколько магазинов открыла компания «Орион» в Каире в 1930 году?");
    let asked = language.ask(&bought(), Role::Object).unwrap().text();
    assert_eq!(asked, "Какую компанию купила компания «Орион» в 1955 году?");
}

#[test]
fn turkish_suffixes_follow_the_last_vowel_and_consonant() {
    let language = Language::Turkish;
    assert_eq!(plain(language, &moved()), "Anna Novak 1960'ta Kazan'dan Türkiye'ye taşındı.");
    assert_eq!(plain(language, &founded()), "Anna Novak 1950'de Kahire Müzesini kurdu.");
    assert_eq!(plain(language, &met()), "Daniel Silva 1923'te İstanbul'da Anna Novak ile tanıştı.");
    let seen =
        |city, year| plain(language, &fact(Event::Visited(ANNA_NOVAK), Some(Place::City(City(city))), Some(year)));
    assert_eq!(seen(8, 1906), "Anna Novak 1906'da Lizbon'u ziyaret etti.");
    assert_eq!(seen(41, 2000), "Anna Novak 2000'de Montreal'i ziyaret etti.");
    assert_eq!(seen(2, 1940), "Anna Novak 1940'ta Paris'i ziyaret etti.");
    assert_eq!(seen(6, 1900), "Anna Novak 1900'de Roma'yı ziyaret etti.");
}

#[test]
fn hindi_has_the_ergative_and_agrees_with_the_object() {
    let language = Language::Hindi;
    assert_eq!(plain(language, &moved()), "अन्ना नोवाक 1960 में कज़ान से तुर्की चली गईं।");
    assert_eq!(plain(language, &founded()), "अन्ना नोवाक ने 1950 में काहिरा संग्रहालय की स्थापना की।");
    assert_eq!(plain(language, &opened(5, Thing::Shop)), "ओरायन कंपनी ने 1930 में काहिरा में 5 दुकानें खोलीं।");
    let asked = language.ask(&opened(5, Thing::Shop), Role::Count).unwrap().text();
    assert_eq!(asked, "ओरायन कंपनी ने 1930 में काहिरा में कितनी दुकानें खोलीं?");
}

#[test]
fn arabic_agrees_in_gender_and_counts() {
    let language = Language::Arabic;
    assert_eq!(plain(language, &moved()), "انتقلت آنا نوفاك من قازان إلى تركيا عام 1960.");
    assert_eq!(plain(language, &wrote()), "ألّف دانيال سيلفا أوبرا «الحديقة» عام 1944.");
    assert_eq!(plain(language, &closed()), "أُغلقت جامعة أثينا بسبب حريق عام 1988.");
    assert_eq!(plain(language, &opened(5, Thing::Factory)), "افتتحت شركة أوريون 5 مصانع في القاهرة عام 1930.");
    assert_eq!(plain(language, &opened(15, Thing::Factory)), "افتتحت شركة أوريون 15 مصنعًا في القاهرة عام 1930.");
}

#[test]
fn swahili_agrees_by_noun_class() {
    let language = Language::Swahili;
    assert_eq!(plain(language, &closed()), "Chuo Kikuu cha Athens kilifungwa kwa sababu ya moto mwaka 1988.");
    assert_eq!(passive(language, &founded()), "Makumbusho ya Kairo yalianzishwa na Anna Novak mwaka 1950.");
    let asked = language.ask(&opened(5, Thing::Factory), Role::Count).unwrap().text();
    assert_eq!(asked, "Kampuni ya Orion ilifungua viwanda vingapi mjini Kairo mwaka 1930?");
    let when = Fact { year: None, ..closed() };
    assert_eq!(
        language.ask(&when, Role::Year).unwrap().text(),
        "Chuo Kikuu cha Athens kilifungwa kwa sababu ya moto lini?"
    );
}

#[test]
fn vietnamese_puts_the_agent_before_the_verb() {
    let language = Language::Vietnamese;
    assert_eq!(passive(language, &wrote()), "Vở opera “Khu vườn” được Daniel Silva sáng tác năm 1944.");
    assert_eq!(plain(language, &moved()), "Anna Novak chuyển từ Kazan đến Thổ Nhĩ Kỳ năm 1960.");
    let asked = language.ask(&closed(), Role::Cause).unwrap().text();
    assert_eq!(asked, "Vì sao Đại học Athens đóng cửa năm 1988?");
}

#[test]
fn chinese_uses_measure_words_and_no_spaces() {
    let language = Language::Chinese;
    assert_eq!(plain(language, &opened(5, Thing::School)), "奥里翁公司1930年在开罗开设了5所学校。");
    assert_eq!(passive(language, &wrote()), "歌剧《花园》1944年由丹尼尔·席尔瓦创作。");
    let asked = language.ask(&fact(Event::Visited(ANNA_NOVAK), Some(Place::City(CAIRO)), None), Role::Place);
    assert_eq!(asked.unwrap().text(), "安娜·诺瓦克访问了哪座城市？");
    assert_eq!(language.ask(&wrote(), Role::Subject).unwrap().text(), "谁于1944年创作了歌剧《花园》？");
}

#[test]
fn what_only_causes_and_effects_tell_is_told_in_every_language() {
    let failed = fact(Event::Failed(Company(1)), None, Some(1955));
    let owned = fact(Event::Owned { owner: Company(0), target: Company(1) }, None, None);
    let inherited = fact(Event::Inherited { heir: ANNA_NOVAK, from: DANIEL_SILVA }, None, Some(1944));
    let struck = |cause| fact(Event::Struck(cause), Some(Place::City(CAIRO)), Some(1950));
    let (fire, quake) = (struck(Cause::Fire), struck(Cause::Earthquake));
    let said = Language::ALL.map(|language| [failed, owned, inherited, fire, quake].map(|fact| plain(language, &fact)));
    let expected = [
        [
            "أفلست شركة فيغا عام 1955.",
            "كانت شركة فيغا ملكًا لشركة أوريون.",
            "ورثت آنا نوفاك دانيال سيلفا عام 1944.",
            "اندلع حريق في القاهرة عام 1950.",
            "وقع زلزال في القاهرة عام 1950.",
        ],
        [
            "Die Firma Vega ging 1955 bankrott.",
            "Die Firma Vega gehörte der Firma Orion.",
            "Anna Novak erbte 1944 von Daniel Silva.",
            "Es gab 1950 in Kairo einen Brand.",
            "Es gab 1950 in Kairo ein Erdbeben.",
        ],
        [
            "Η εταιρεία «Βέγα» χρεοκόπησε το 1955.",
            "Η εταιρεία «Βέγα» ανήκε στην εταιρεία «Ωρίων».",
            "Η Άννα Νόβακ κληρονόμησε τον Ντάνιελ Σίλβα το 1944.",
            "Υπήρξε πυρκαγιά στο Κάιρο το 1950.",
            "Υπήρξε σεισμός στο Κάιρο το 1950.",
        ],
        [
            "The company Vega went bankrupt in 1955.",
            "The company Vega belonged to the company Orion.",
            "Anna Novak inherited from Daniel Silva in 1944.",
            "There was a fire in Cairo in 1950.",
            "There was an earthquake in Cairo in 1950.",
        ],
        [
            "La empresa Vega quebró en 1955.",
            "La empresa Vega pertenecía a la empresa Orion.",
            "Anna Novak heredó de Daniel Silva en 1944.",
            "Hubo un incendio en El Cairo en 1950.",
            "Hubo un terremoto en El Cairo en 1950.",
        ],
        [
            "वेगा कंपनी 1955 में दिवालिया हो गई।",
            "वेगा कंपनी ओरायन कंपनी के स्वामित्व में थी।",
            "अन्ना नोवाक को 1944 में डैनियल सिल्वा से विरासत मिली।",
            "1950 में काहिरा में आग लगी।",
            "1950 में काहिरा में भूकंप आया।",
        ],
        [
            "Компания «Вега» обанкротилась в 1955 году.",
            "Компания «Вега» принадлежала компании «Орион».",
            "Анна Новак получила наследство от Даниэля Силвы в 1944 году.",
            "В Каире в 1950 году был пожар.",
            "В Каире в 1950 году было землетрясение.",
        ],
        [
            "Kampuni ya Vega ilifilisika mwaka 1955.",
            "Kampuni ya Vega ilimilikiwa na kampuni ya Orion.",
            "Anna Novak alimrithi Daniel Silva mwaka 1944.",
            "Kulikuwa na moto mjini Kairo mwaka 1950.",
            "Kulikuwa na tetemeko la ardhi mjini Kairo mwaka 1950.",
        ],
        [
            "Vega şirketi 1955'te iflas etti.",
            "Vega şirketi Orion şirketine aitti.",
            "Anna Novak 1944'te Daniel Silva'dan miras aldı.",
            "1950'de Kahire'de bir yangın çıktı.",
            "1950'de Kahire'de bir deprem oldu.",
        ],
        [
            "Công ty Vega phá sản năm 1955.",
            "Công ty Vega thuộc về công ty Orion.",
            "Anna Novak thừa kế tài sản của Daniel Silva năm 1944.",
            "Hỏa hoạn xảy ra ở Cairo năm 1950.",
            "Động đất xảy ra ở Cairo năm 1950.",
        ],
        [
            "维加公司1955年破产了。",
            "维加公司属于奥里翁公司。",
            "安娜·诺瓦克1944年继承了丹尼尔·席尔瓦的遗产。",
            "开罗1950年发生了火灾。",
            "开罗1950年发生了地震。",
        ],
    ];
    for (said, expected) in said.iter().zip(expected) {
        assert_eq!(*said, expected);
    }
    let first = Style { front: Front::Year, ..Style::PLAIN };
    assert_eq!(Language::Russian.say(&fire, first).text(), "В 1950 году в Каире был пожар.");
    assert_eq!(Language::German.say(&fire, first).text(), "1950 gab es in Kairo einen Brand.");
    assert_eq!(Language::Chinese.say(&fire, first).text(), "1950年，开罗发生了火灾。");
    // A woman's family name in a consonant stays as it is, a man's does not.
    let from = |heir, from| plain(Language::Russian, &fact(Event::Inherited { heir, from }, None, None));
    assert_eq!(from(DANIEL_SILVA, ANNA_NOVAK), "Даниэль Силва получил наследство от Анны Новак.");
    let ivan_novak = Person { given: 24, family: 0 };
    assert_eq!(from(ANNA_NOVAK, ivan_novak), "Анна Новак получила наследство от Ивана Новака.");
}

#[test]
fn the_year_can_be_told_in_full() {
    let say =
        |language: Language, front| language.say(&wrote(), Style { front, full_year: true, ..Style::PLAIN }).text();
    let (first, last) = (Front::Year, Front::Plain);
    assert_eq!(say(Language::English, last), "Daniel Silva composed the opera “The Garden” in the year 1944.");
    assert_eq!(say(Language::German, first), "Im Jahr 1944 komponierte Daniel Silva die Oper „Der Garten“.");
    assert_eq!(say(Language::Greek, first), "Το έτος 1944, ο Ντάνιελ Σίλβα συνέθεσε την όπερα «Ο κήπος».");
    assert_eq!(say(Language::Spanish, last), "Daniel Silva compuso la ópera «El jardín» en el año 1944.");
    assert_eq!(say(Language::Russian, first), "В 1944-м году Даниэль Силва написал оперу «Сад».");
    assert_eq!(say(Language::Turkish, last), "Daniel Silva 1944 yılında “Bahçe” adlı operayı besteledi.");
    assert_eq!(say(Language::Hindi, last), "डैनियल सिल्वा ने सन् 1944 में ओपेरा “बग़ीचा” रचा।");
    assert_eq!(say(Language::Arabic, first), "في عام 1944، ألّف دانيال سيلفا أوبرا «الحديقة».");
    assert_eq!(say(Language::Swahili, last), "Daniel Silva alitunga opera ya “Bustani” katika mwaka wa 1944.");
    assert_eq!(say(Language::Vietnamese, first), "Vào năm 1944, Daniel Silva sáng tác vở opera “Khu vườn”.");
    assert_eq!(say(Language::Chinese, last), "丹尼尔·席尔瓦于1944年创作了歌剧《花园》。");
    assert_eq!(say(Language::Chinese, first), "在1944年，丹尼尔·席尔瓦创作了歌剧《花园》。");
}

#[test]
fn a_subject_once_named_becomes_a_pronoun_or_nothing() {
    let visited = fact(Event::Visited(ANNA_NOVAK), Some(Place::City(CAIRO)), Some(1930));
    let say =
        |language: Language| language.say(&visited, Style { reference: Reference::Pronoun, ..Style::PLAIN }).text();
    assert_eq!(say(Language::English), "She visited Cairo in 1930.");
    assert_eq!(say(Language::Spanish), "Visitó El Cairo en 1930.");
    assert_eq!(say(Language::Hindi), "उन्होंने 1930 में काहिरा की यात्रा की।");
    assert_eq!(say(Language::Chinese), "她1930年访问了开罗。");
}

/// Facts of every split in every pattern, with everything that can be asked of them.
fn everything() -> impl Iterator<Item = (Language, miniworld::Sentence)> {
    let told = Split::ALL.into_iter().flat_map(|split| sentences(3, "laws", split, 150).unwrap());
    let causes = Split::ALL.into_iter().flat_map(|split| choices(3, "laws", split, 80).unwrap());
    let causes = causes
        .flat_map(|plan| plan.premise.into_iter().chain(plan.choices.map(|fact| Told { fact, style: Style::PLAIN })));
    let told: Vec<Told> = told.chain(causes).collect();
    Language::ALL.into_iter().flat_map(move |language| {
        let told = told.clone();
        told.into_iter().flat_map(move |told| {
            let asked =
                told.fact.askable().iter().map(move |role| language.ask(&told.fact, *role).expect("an askable role"));
            asked.chain([language.say(&told.fact, told.style)]).map(move |sentence| (language, sentence))
        })
    })
}

#[test]
fn every_sentence_is_one_projective_tree() {
    for (language, sentence) in everything() {
        let heads: Vec<usize> = sentence.words.iter().map(|word| word.head).collect();
        let text = sentence.text();
        assert_eq!(heads.iter().filter(|head| **head == 0).count(), 1, "{text}");
        for (at, &head) in heads.iter().enumerate() {
            assert!(head <= heads.len() && head != at + 1, "{text}");
            assert_eq!(head == 0, sentence.words[at].relation == "root", "{text}");
            // Every word between a word and its head hangs below that head.
            for between in at.min(head.max(1) - 1) + 1..at.max(head.max(1) - 1) {
                let mut up = between + 1;
                while head != 0 && up != head && up != 0 {
                    up = heads[up - 1];
                }
                assert!(head == 0 || up == head, "{} {text}: crossing at {}", language.code(), at + 1);
            }
        }
    }
}

#[test]
fn every_sentence_is_written_cleanly() {
    for (language, sentence) in everything() {
        let text = sentence.text();
        assert!(!text.contains("  ") && text.trim() == text, "{text}");
        assert!(sentence.words.iter().all(|word| !word.form.is_empty() && !word.form.contains(' ')), "{text}");
        for stop in [" .", " ,", " ?", " ;", " ؟", " ،", " ।", "« ", " »", "„ "] {
            assert!(!text.contains(stop), "{text}");
        }
        // German closes with the mark that English opens with.
        assert!(!text.contains(if language == Language::German { " “" } else { "“ " }), "{text}");
        assert_eq!(text.contains(' '), language != Language::Chinese, "{text}");
        assert!(text.ends_with(['.', '?', ';', '؟', '।', '。', '？']), "{text}");
        let first = text.chars().find(|letter| letter.is_alphanumeric()).expect("a letter or a figure");
        assert!(!first.is_lowercase(), "{text}");
    }
}

#[test]
fn mentions_are_the_same_in_every_language() {
    let told = sentences(5, "mentions", Split::Test, 100).unwrap();
    let kinds = |language: Language| -> Vec<Vec<u8>> {
        tagged(language, &told)
            .into_iter()
            .map(|row| {
                assert_eq!(row.words.len(), row.tags.len());
                let mut kinds: Vec<u8> = row.tags.iter().copied().filter(|tag| tag % 2 == 1).collect();
                kinds.sort();
                kinds
            })
            .collect()
    };
    let english = kinds(Language::English);
    for language in Language::ALL {
        assert_eq!(kinds(language), english, "{}", language.code());
    }
}

#[test]
fn neighbouring_names_stay_two_mentions() {
    let fact = fact(Event::Moved { person: ANNA_NOVAK, from: Some(KAZAN) }, Some(Place::City(CAIRO)), None);
    let told = miniworld::tasks::Told { fact, style: Style::PLAIN };
    let rows = tagged(Language::Turkish, &[told]);
    assert_eq!(rows[0].words, ["Anna", "Novak", "Kazan'dan", "Kahire'ye", "taşındı", "."]);
    assert_eq!(rows[0].tags, [1, 2, 5, 5, 0, 0]);
    let rows = tagged(Language::Chinese, &[told]);
    assert_eq!(rows[0].words.concat(), "安娜·诺瓦克从喀山搬到了开罗。");
    assert_eq!(rows[0].tags, [1, 2, 2, 2, 2, 2, 0, 5, 6, 0, 0, 0, 5, 6, 0]);
}

#[test]
fn trees_say_words_parts_heads_and_relations() {
    let told = Told { fact: founded(), style: Style::PLAIN };
    let rows = trees(Language::English, &[told, told], "test");
    assert_eq!(rows[1].id, "test-1");
    assert_eq!(rows[0].words.join(" "), "Anna Novak founded the Museum of Cairo in 1950 .");
    assert_eq!(rows[0].upos.join(" "), "PROPN PROPN VERB DET NOUN ADP PROPN ADP NUM PUNCT");
    assert_eq!(rows[0].heads, [3, 1, 0, 5, 3, 7, 5, 9, 3, 3]);
    assert_eq!(rows[0].relations.join(" "), "nsubj flat root det obj case nmod case obl punct");
    let passive = Told { style: Style { passive: true, ..Style::PLAIN }, ..told };
    let greek = trees(Language::Greek, &[passive], "test");
    assert_eq!(greek[0].relations[1..5], ["nsubj:pass", "det", "nmod", "root"]);
}

#[test]
fn an_unknown_language_is_refused_with_the_known_ones() {
    let other = spec::Language::parse("cy").unwrap();
    let message = Language::try_from(other).unwrap_err().to_string();
    assert_eq!(message, "the mini world does not speak `cy`; it speaks ar de el en es hi ru sw tr vi zh");
    for language in Language::ALL {
        assert_eq!(Language::try_from(spec::Language::from(language)).unwrap(), language);
    }
}
