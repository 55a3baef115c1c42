"""Closed lists of words that the reading of a question and the certification share."""

from __future__ import annotations


def bank(text: str) -> tuple[str, ...]:
    """The words of a text that lists them."""
    return tuple(text.split())


DETERMINERS = frozenset(
    bank("a an the his her their its my your our this that these those some any each every no another")
)

NUMBER_WORDS: dict[str, int] = {
    word: number
    for number, word in enumerate(
        bank(
            """
            zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
            seventeen eighteen nineteen
            """
        )
    )
}
NUMBER_WORDS |= {
    word: 10 * tens
    for tens, word in enumerate(bank("- ten twenty thirty forty fifty sixty seventy eighty ninety"))
    if tens > 1
}
NUMBER_WORDS |= {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}

# Words that carry, add to, or compare a quantity without a digit.
QUANTITY_WORDS = frozenset(NUMBER_WORDS) | frozenset(
    bank(
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

# Words that reach for whatever the question has counted.
SCOPE_WORDS = frozenset(
    bank(
        """
        each every all both everyone everybody everything everywhere any anyone anybody another other others more
        fewer less extra additional remaining rest left leftover total altogether combined same such whole entire
        similar here there's
        """
    )
)

# Words of rates and rebates: they apply to prices and speeds that a question may hold.
RATE_WORDS = frozenset(
    bank(
        """
        percent percentage % per discount discounted off sale coupon tax tip fee rate half-price twice double
        doubles doubled triple tripled halved free refund surcharge deposit interest apiece
        """
    )
)

PRONOUNS = frozenset(
    bank(
        """
        he him his himself she her hers herself it its itself they them their theirs themselves this that these
        those we us our ours you your yours i me my mine he's she's it's they're he'll she'll they'll i'm we're
        you're ones
        """
    )
)

# What happened, and so may have changed how much there is.
CHANGE_WORDS = frozenset(
    bank(
        """
        lost lose loses broke break broken breaks ate eat eaten eats gone sold sell sells bought buy buys gave give
        gives given took take taken takes stole stolen rotten rotted spoiled added add adds removed remove removes
        spent spend paid pay pays died die dead finished finish closed close free empty emptied full filled
        cancelled canceled borrowed borrow lent lend returned return donated donate found find dropped drop fell
        fall shared share divided split cut doubled refused missing absent late early earlier later faster slower
        older younger taller shorter bigger smaller larger longer heavier lighter cheaper joined arrived left
        stopped quit melted leaked damaged ruined threw thrown discarded replaced used won earned made baked cooked
        collected received got get gets brought picked grew born never always only not cannot instead except
        """
    )
)

# Units and kinds of quantity: which words speak of which.
KINDS: dict[str, frozenset[str]] = {
    "money": frozenset(
        bank(
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
        bank(
            """
            time hour hours minute minutes second seconds day days week weeks month months year years decade decades
            century centuries long longer old older age ages aged younger when o'clock date birthday birthdays hr
            hrs min mins night nights weekend weekends noon midnight late early soon clock a.m p.m am pm january
            february march april may june july august september october november december
            """
        )
    ),
    "length": frozenset(
        bank(
            """
            mile miles foot feet inch inches meter meters metre metres kilometer kilometers kilometre kilometres
            centimeter centimeters km cm mm ft yard yards distance far farther further tall taller height length
            wide wider width high higher deep depth perimeter long longer short shorter acre acres area square
            """
        )
    ),
    "weight": frozenset(
        bank(
            """
            pound pounds ounce ounces kilogram kilograms kg gram grams mg milligrams weigh weighs weighed weight
            heavy heavier lighter ton tons lb lbs oz kilo kilos mass
            """
        )
    ),
    "volume": frozenset(
        bank(
            """
            gallon gallons liter liters litre litres cup cups ounce ounces ml milliliter milliliters pint pints
            quart quarts volume capacity tablespoon tablespoons teaspoon teaspoons water juice milk fluid liquid
            cubic
            """
        )
    ),
    "temperature": frozenset(bank("degree degrees temperature celsius fahrenheit")),
    "speed": frozenset(bank("mph kph speed fast faster pace knots")),
    "share": frozenset(bank("percent percentage % fraction ratio probability chance odds proportion")),
    "energy": frozenset(bank("calorie calories kilocalories kcal")),
    "data": frozenset(bank("gb mb gigabytes megabytes")),
}
UNITS = frozenset(
    bank(
        """
        dollars dollar cents euros hours hour minutes minute seconds days day weeks week months month years year
        decades miles mile feet foot inches inch meters meter kilometers kilometer centimeters centimeter
        millimeters yards acres pounds ounces kilograms kilogram grams tons ton gallons liters liter milliliters
        degrees knots percent o'clock
        """
    )
)

# Small words that are never a name, even with a capital.
FUNCTION_WORDS = (
    frozenset(
        bank(
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
    bank(
        """
        january february march april may june july august september october november december monday tuesday
        wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays
        christmas halloween easter thanksgiving english american french spring summer autumn fall winter
        """
    )
)

# What may stand between a determiner or number and its noun.
ADJECTIVES = frozenset(
    bank(
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

# Verbs that a name is the subject of, for telling people from shops and pets.
SUBJECT_VERBS = frozenset(
    bank(
        """
        has had have is was wants wanted buys bought needs needed gets got goes went makes made earns earned sells
        sold works worked gave gives takes took eats ate runs ran plays played collects collected spends spent reads
        read writes wrote decides decided starts started likes loves picks picked finds found plans planned uses
        used bakes baked pays paid can could will does did drives drove walks walked lives lived owns owned adopts
        adopted plants planted saves saved receives received
        """
    )
)

# Verbs in -s, so that "a museum keeps" is not read as "a museum of keeps". Any other unknown word in -s is a plural.
VERBS_IN_S = frozenset(
    bank(
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
# Words that a number stands in front of inside a calculation.
OPERATOR_WORDS = frozenset(
    bank(
        """
        times plus minus divided multiplied added over less is makes make equals equal gives give leaves leave comes
        come amounts adds works yields and or in of to from by into after before
        """
    )
)
