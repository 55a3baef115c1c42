"""Closed lists of words that feature extraction and certification share."""

from __future__ import annotations

from collections.abc import Sequence


def word_list(text: str) -> tuple[str, ...]:
    """Return the words of a text, split at white space."""
    return tuple(text.split())


def first_of(words: Sequence[str], word_set: frozenset[str]) -> str:
    """Return the first of the words that is in `word_set`; an empty text where none is."""
    return "" if word_set.isdisjoint(words) else next(word for word in words if word in word_set)


DETERMINERS = frozenset(
    word_list("a an the his her their its my your our this that these those some any each every no another")
)

NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, word in enumerate(
        word_list(
            """
            zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
            seventeen eighteen nineteen
            """
        )
    )
}
NUMBER_WORDS |= {
    word: 10 * tens
    for tens, word in enumerate(word_list("- ten twenty thirty forty fifty sixty seventy eighty ninety"))
    if tens > 1
}
NUMBER_WORDS |= {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}

#: Words for a part or a multiple, and the number in them.
PART_NUMBERS: dict[str, str] = {
    word: str(number)
    for number, words in (
        (2, "half halves twice double doubled doubles pair pairs couple couples"),
        (3, "third thirds triple tripled triples thrice trio"),
        (4, "quarter quarters fourth fourths quadruple quadrupled"),
        *((5 + i, f"{word} {word}s") for i, word in enumerate(word_list("fifth sixth seventh eighth ninth tenth"))),
    )
    for word in words.split()
}

# Words that carry, add to, or compare a quantity without a digit.
QUANTITY_WORDS = frozenset(NUMBER_WORDS) | frozenset(
    word_list(
        """
        dozens hundreds thousands millions billions pair pairs couple couples trio half halves third thirds fourth
        fourths quarter quarters fifth fifths sixth sixths seventh eighth eighths ninth tenth tenths once twice
        thrice double doubles doubled triple tripled quadruple single both neither either few fewer fewest several
        many much more most less least another other others extra additional all every each everyone everybody
        everything none nobody nothing no some any enough first second last next percent percentage per total
        altogether combined remaining rest left leftover whole entire lots lot plenty numerous various multiple
        majority minority equal equally same number amount average sum
        """
    )
)

# Words that may refer to whatever the question has counted.
SCOPE_WORDS = frozenset(
    word_list(
        """
        each every all both everyone everybody everything everywhere any anyone anybody another other others more
        fewer less extra additional remaining rest left leftover total altogether combined same such whole entire
        similar here there's
        """
    )
)

# Rates and rebates: they could apply to the prices and speeds of a question.
RATE_WORDS = frozenset(
    word_list(
        """
        percent percentage % per discount discounted off sale coupon tax tip fee rate half-price twice double
        doubles doubled triple tripled halved free refund surcharge deposit interest apiece
        """
    )
)

PRONOUNS = frozenset(
    word_list(
        """
        he him his himself she her hers herself it its itself they them their theirs themselves this that these
        those we us our ours you your yours i me my mine he's she's it's they're he'll she'll they'll i'm we're
        you're ones
        """
    )
)

# Events, which may have changed how much there is.
CHANGE_WORDS = frozenset(
    word_list(
        """
        lost lose loses broke break broken breaks ate eat eaten eats gone sold sell sells bought buy buys gave give
        gives given took take taken takes stole stolen rotten rotted spoiled added add adds removed remove removes
        spent spend paid pay pays died die dead finished finish closed close free empty emptied full filled
        cancelled canceled borrowed borrow lent lend returned return donated donate found find dropped drop fell
        fall shared share divided split cut doubled refused missing absent late early earlier later faster slower
        older younger taller shorter bigger smaller larger longer heavier lighter cheaper joined arrived left
        stopped quit melted leaked damaged ruined threw thrown discarded replaced used won earned made baked cooked
        popped burst cracked torn burned burnt wilted vanished disappeared escaped fled flew hatched
        collected received got get gets brought picked grew born never always only not cannot instead except
        """
    )
)

# The words that speak of each kind of quantity.
QUANTITY_KINDS: dict[str, frozenset[str]] = {
    "money": frozenset(
        word_list(
            """
            $ € £ ¢ money dollar dollars cent cents cost costs price prices priced pay pays paid earn earns earned
            spend spends spent profit change revenue salary budget worth bill bills owe owes save saved saves
            savings charge charges charged fee wage wages income rent tip tax discount penny pennies nickel nickels
            dime dimes buck bucks euro euros pound-sterling afford payment balance coin coins allowance debt value
            expensive cheaper sales expense expenses earnings
            """
        )
    ),
    "time": frozenset(
        word_list(
            """
            time hour hours minute minutes second seconds day days week weeks month months year years decade decades
            century centuries long longer old older age ages aged younger when o'clock date birthday birthdays hr
            hrs min mins night nights weekend weekends noon midnight late early soon clock a.m p.m am pm january
            february march april may june july august september october november december
            """
        )
    ),
    "length": frozenset(
        word_list(
            """
            mile miles foot feet inch inches meter meters metre metres kilometer kilometers kilometre kilometres
            centimeter centimeters km cm mm ft yard yards distance far farther further tall taller height length
            wide wider width high higher deep depth perimeter long longer short shorter acre acres area square
            """
        )
    ),
    "weight": frozenset(
        word_list(
            """
            pound pounds ounce ounces kilogram kilograms kg gram grams mg milligrams weigh weighs weighed weight
            heavy heavier lighter ton tons lb lbs oz kilo kilos mass
            """
        )
    ),
    "volume": frozenset(
        word_list(
            """
            gallon gallons liter liters litre litres cup cups ounce ounces ml milliliter milliliters pint pints
            quart quarts volume capacity tablespoon tablespoons teaspoon teaspoons water juice milk fluid liquid
            cubic
            """
        )
    ),
    "temperature": frozenset(word_list("degree degrees temperature celsius fahrenheit")),
    "speed": frozenset(word_list("mph kph speed fast faster pace knots")),
    "share": frozenset(word_list("percent percentage % fraction ratio probability chance odds proportion")),
    "energy": frozenset(word_list("calorie calories kilocalories kcal")),
    "data": frozenset(word_list("gb mb gigabytes megabytes")),
}
UNITS = frozenset(
    word_list(
        """
        dollars dollar cents euros hours hour minutes minute seconds days day weeks week months month years year
        decades miles mile feet foot inches inch meters meter kilometers kilometer centimeters centimeter
        millimeters yards acres pounds ounces kilograms kilogram grams tons ton gallons liters liter milliliters
        degrees knots percent o'clock
        """
    )
)

# The small words of word problems, by which English is known: all questions of GSM8K's training split have enough of
# them. "A" is not among them, as Spanish, French and Italian have it, too.
SMALL_WORDS = frozenset(
    word_list(
        """
        the an of to in is are was were how many much he she they it his her their has have had and each for with on
        at from what if does did do will be by per that this than as more who there all after then but same total left
        find number one two three
        """
    )
)

# Function words: never a name, even with a capital.
FUNCTION_WORDS = (
    frozenset(
        word_list(
            """
        a an the and or but if so then than as at by for from in into of off on onto out over per through to under
        up upon with without within after before during until since while when where which who whom whose what why
        how is are was were be been being am do does did done has have had having can could will would shall should
        may might must not no yes also too very just still only even ever each every all both some any many much
        more most less few several other another such same own first second third last next one two three four five
        six seven eight nine ten eleven twelve twenty thirty forty fifty hundred there here now today yesterday
        tomorrow tonight once twice again already soon later ago about around above below between among across
        against along because although though however therefore meanwhile instead finally initially originally later
        unfortunately luckily currently together altogether assume assuming suppose given calculate find determine
        what's that's let let's how's half twice due despite if unless whenever whether everyone everybody someone
        somebody nobody nothing something everything either neither nor as among besides except like near next until
        yet on overall usually
        """
        )
    )
    | PRONOUNS
)

MONTHS_AND_DAYS = frozenset(
    word_list(
        """
        january february march april may june july august september october november december monday tuesday
        wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays
        christmas halloween easter thanksgiving english american french spring summer autumn fall winter
        """
    )
)

# Names that look like plurals. Any other capitalised word in -s, such as "Termites", is taken for no person.
NAMES_IN_S = frozenset(
    word_list(
        """
        james charles thomas carlos nicholas lucas agnes frances jules miles hans elias andreas silas giles moses
        jonas lars brooks matias tobias nikolas mrs andres marcos johannes ines lourdes mercedes achilles hercules
        """
    )
)

# Words that may stand between a determiner or number and its noun.
ADJECTIVES = frozenset(
    word_list(
        """
        red blue green yellow orange purple pink black white brown gray grey gold golden silver big small large
        little huge tiny tall short long old new young fresh whole empty full different good bad best favorite own
        local nearby rectangular square round wooden plastic metal glass paper stuffed toy pet baby adult male
        female extra additional regular special free first second third fourth fifth last next same other many more
        most several few hundred thousand dozen total hot cold sweet ripe rotten broken used cheap expensive heavy
        light public private high middle elementary birthday chocolate strawberry vanilla cherry lemon apple peanut
        cheese chicken beef potato rubber glass video board basketball baseball football soccer tennis swimming
        chess school summer winter ice candy fruit vegetable fiction comic text math science art history bird dog
        cat fish
        """
    )
)

# Verbs whose subject is a person, to tell people from shops and pets.
SUBJECT_VERBS = frozenset(
    word_list(
        """
        has had have is was wants wanted buys bought needs needed gets got goes went makes made earns earned sells
        sold works worked gave gives takes took eats ate runs ran plays played collects collected spends spent reads
        read writes wrote decides decided starts started likes loves picks picked finds found plans planned uses
        used bakes baked pays paid can could will does did drives drove walks walked lives lived owns owned adopts
        adopted plants planted saves saved receives received
        """
    )
)

# Verbs in -s, so that the "keeps" of "a museum keeps" is no plural. Any other unknown word in -s is one.
VERBS_IN_S = frozenset(
    word_list(
        """
        keeps shows stands runs weighs dates stays leaves carries rises reads uses climbs reaches notes takes
        charges asks holds has is was does goes lies contains stores shelters owns lists bears confirms opens spells
        hinges teaches ends arranges sets splits spreads measures weaves fills whispers makes equals gives comes
        adds amounts works yields likes enjoys praises mentions speaks explains says rents moves houses faces turns
        winds hides marks closes prints attracts hums sings seems looks smells sounds gets buys sells earns pays
        needs wants lives plays eats drinks drives walks bakes collects costs grows begins starts strikes rings
        hangs belongs receives produces serves offers covers flows
        """
    )
)
# Words that follow a number inside a calculation.
OPERATOR_WORDS = frozenset(
    word_list(
        """
        times plus minus divided multiplied added over less is makes make equals equal gives give leaves leave comes
        come amounts adds works yields and or in of to from by into after before
        """
    )
)
