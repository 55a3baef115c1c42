"""Templates of the neutral sentences in half of the training stories: they name nobody, count nothing and ask nothing.

A model that never met them takes any longer text for another kind of problem. They share no content word with the
placebo `filler`, and no turn of phrase with a noise (a test compares them), so that an evaluation shows text that no
training problem had. The notation is that of `problem_templates`; the things are never things of the problem.
"""

from __future__ import annotations

#: What may begin a sentence, with a comma behind it.
OPENERS: tuple[str, ...] = (
    "As usual",
    "Meanwhile",
    "To this day",
    "In those days",
    "For whatever reason",
    "Strange to say",
    "By all accounts",
    "Upstairs",
    "Next door",
    "Around the corner",
)

#: What joins two sentences into a longer sentence.
JOINS: tuple[str, ...] = (", and ", ", while ", ", although ", "; besides, ", ", because ")

NEUTRAL_SENTENCES: tuple[str, ...] = (
    "The {o1} [up in the attic|down in the cellar|behind the stove] [belonged to a stranger|had no owner].",
    "[Nobody|Hardly anyone] [remembers|cares] who [invented|designed|ordered] the {o1}.",
    "Perhaps {o} are [overrated|misunderstood|harmless], [but opinions differ|as critics insist|or so it seems].",
    "The history of {o} is [murky|disputed|mostly unwritten|stranger than fiction].",
    "[Textbooks|Encyclopedias|Dictionaries|Newspapers] [seldom|hardly ever] mention {o}.",
    "A [carpenter|plumber|locksmith|tailor] [complained|grumbled|boasted] about the {o1}.",
    "{o} need [careful|regular|expert] [handling|cleaning|repair], according to the [manual|instructions|inspector].",
    "The [wallpaper|ceiling|sofa|wardrobe] [matched|clashed with|hid] the {o1}.",
    "[Engineers|Historians|Lawyers] [disagree|argue|wonder] about how {o} [wear out|should be labelled|are stored].",
    "[Politics|Opera|Archery|Gossip] [bored|puzzled|delighted] the [landlord|librarian|postman|clerk].",
    "The [hallway|kitchen|basement|lobby] smelled of [varnish|soap|coffee|paint|rubber].",
    "It was [a lazy|an ordinary|a dull|an uneventful] [weekday|holiday|week].",
    "[Paint|Varnish|Rust|Plaster] was [peeling|flaking|coming off] from the [gutter|railing|door frame].",
    "The [recipe|warranty|permit|catalogue] for the {o1} was written in [Hebrew|pencil|block letters|code].",
    "Whoever [built|chose|dropped] the {o1} [had good taste|loved symmetry|felt no regret].",
    "{o} [rarely|seldom|never quite] fit into a [suitcase|drawer|wheelbarrow|cupboard].",
    "The {o1}, [long out of fashion|oddly shaped|a gift from an aunt], [drew little attention|leaned against a wall].",
    "[Elderly|Curious|Impatient|Foreign] [tourists|visitors|customers] [ignored|stared at|walked around] the {o1}.",
    "The [radio|loudspeaker|doorbell|elevator] was [broken|out of order|switched off].",
    "Repairs to the [roof|boiler|plumbing|garage] were [overdue|postponed|a nuisance].",
    "The [mayor|judge|bishop|sheriff] [disliked|mistrusted|could not stand|praised] {o}.",
    "[Traffic|Work|Progress|Life] was [slower than usual|unusually calm|as hectic as before].",
    "[Cats|Dogs|Pigeons|Squirrels] were [asleep under|not allowed near|afraid of] the {o1}.",
    "Rumours about {o} [travelled quickly|were hard to believe|turned out to be false|annoyed the guards].",
    "[In theory|On paper|If need be], {o} [can be recycled|make poor pets|serve as paperweights|burn badly].",
    "The [debate|quarrel|lecture|documentary] about {o} went on [without a break|behind closed doors|politely].",
    "[Fashion|Custom|Common sense|The law] [demands|forbids|tolerates] {o} [indoors|in public|at weddings].",
    "Without {o}, [museums would be emptier|poets would have less to praise|nothing much would change].",
    "A [rumpled|mislaid|borrowed] [raincoat|overcoat|uniform] was draped over the {o1}.",
    "The {o1} [is|was] [a matter of taste|not for children|made to last|beyond repair|a mystery to all].",
    "[Tourism|Farming|Fishing|Trade] [keeps|made] the [village|neighbourhood|islands] [prosperous|busy|proud].",
    "{o} have [little|nothing|plenty] in common with {p}.",
    "[Advertisements|Proverbs|Songs|Jokes] about {o} are [tiresome|popular overseas|usually harmless].",
    "Opinions on {o} [differ|vary|change] [from person to person|with age|like fashion].",
    "[Music|Laughter|The smell of soup|A draught] came from [upstairs|the bakery|the back door].",
    "The [ink|glue|dye] on the {o1} had not [dried|set|hardened] [yet|properly|at all].",
)
