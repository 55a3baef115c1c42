"""The templates of the mini corpus: each is a kind of word problem with many wordings.

- `numbers` draws the values from left to right: `x:2..9` is a whole number from 2 to 9 (bounds may name earlier
  values), `t=x*k` is computed.
- `text`: `[a|b]` is one of the two wordings, and all `[v=a|b]` with the same `v` choose the same position. `{A}`, `{B}`
  and `{C}` are people; `{A.he}`, `{A.his}`, `{A.him}` and their capitals are their pronouns. `{o}` and `{p}` are things
  in the plural, `{o1}` and `{p1}` in the singular. `{x}` is the value of `x`.
- `steps` is the worked answer, one equation a step; the last result is the target.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Template:
    """One kind of problem. `name` tells the templates apart."""

    name: str
    numbers: str
    text: str
    steps: str


_SUM = "[in all|altogether|in total]"

#: Templates of the training, test and new-names splits.
TEMPLATES: tuple[Template, ...] = (
    Template(
        "gain",
        "x:10..99 y:5..90",
        "{A} [has|owns|starts the day with] {x} {o}. [Later|In the afternoon|Then] {A.he} [finds|gets|buys|picks up] {y} more"
        " {o}. How many {o} does {A} have [now|in the end|" + _SUM[1:-1] + "]?",
        "x+y=s",
    ),
    Template(
        "lose",
        "x:20..99 y:3..x-2",
        "[On Monday {A} has|{A} had|There were] {x} {o} [in a box|on a shelf|in a bag]. {A} [gave|handed|sold] {y} of them"
        " to {B}. How many {o} [are left|remain|does {A} still have]?",
        "x-y=r",
    ),
    Template(
        "gain_then_lose",
        "x:10..80 y:5..60 z:3..x+y-2",
        "{A} [collects|gathers|keeps] {o}. {A.He} has {x} {o} and [buys|receives|is given] {y} more. [Then|After that|Next]"
        " {A.he} [gives away|loses|sells] {z} of them. How many {o} does {A} have [left|now]?",
        "x+y=s s-z=r",
    ),
    Template(
        "lose_twice",
        "x:40..99 y:3..x-20 z:3..x-y-2",
        "{A} [made|bought|brought] {x} {o}. {A.He} [gave|handed] {y} {o} to {B} and {z} {o} to {C}. How many {o} did {A}"
        " [keep|have left|still have]?",
        "x-y=r r-z=t",
    ),
    Template(
        "groups",
        "x:3..12 y:3..12",
        "{A} has {x} [boxes|bags|cases|tins]. [Each one|Every one of them] holds {y} {o}. How many {o} does {A} have "
        + _SUM
        + "?",
        "x*y=t",
    ),
    Template(
        "groups_and_loose",
        "x:3..12 y:3..12 z:2..30",
        "[At the market|In the shop|At home], {A} counts {x} [boxes|bags|cases] with {y} {o} in each. There are also {z} loose {o}. How"
        " many {o} [are there|did {A} count] " + _SUM + "?",
        "x*y=t t+z=s",
    ),
    Template(
        "two_kinds",
        "x:8..80 y:8..80",
        "{A} [buys|packs|finds] {x} {o} and {y} {p}. How many [things|items|objects] [is that|does {A} have] "
        + _SUM
        + "?",
        "x+y=s",
    ),
    Template(
        "share",
        "k:2..9 y:3..12 x=k*y",
        "{A} has {x} {o}. {A.He} [shares|splits|divides] them equally [among|between] {k} friends. How many {o} does [each friend|every"
        " friend|one friend] get?",
        "x/k=y",
    ),
    Template(
        "share_after_eating",
        "k:2..9 y:2..12 z:2..20 x=k*y+z",
        "{A} [brought|bought|had] {x} {o}. {z} of them [got lost|were broken|were thrown away]. {A.He} put the rest equally into {k}"
        " [baskets|bowls|bags]. How many {o} [are|went] in each [one|of them]?",
        "x-z=r r/k=y",
    ),
    Template(
        "more_than",
        "x:8..80 y:3..40",
        "{A} has {x} {o}. {B} has {y} more {o} than {A}. How many {o} does {B} have?",
        "x+y=s",
    ),
    Template(
        "more_than_both",
        "x:8..60 y:3..40",
        "{A} [v=picked|found|sold] {x} {o}. {B} [v=picked|found|sold] {y} more than {A}. How many {o} did they [v=pick|find|sell] "
        + _SUM
        + "?",
        "x+y=s x+s=t",
    ),
    Template(
        "fewer_than",
        "x:20..99 y:3..x-4",
        "{A} [owns|has] {x} {o}. {B} has {y} fewer {o} than {A}. How many {o} [does {B} have|belong to {B}]?",
        "x-y=r",
    ),
    Template(
        "fewer_than_both",
        "x:20..80 y:3..x-4",
        "{A} [v=made|bought] {x} {o} and {B} [v=made|bought] {y} fewer {o} than {A.him}. How many {o} [is that|do the two have] "
        + _SUM
        + "?",
        "x-y=r x+r=t",
    ),
    Template(
        "twice",
        "x:5..60",
        "{A} has {x} {o}. {B} has [twice|double] as many {o} as {A}. How many {o} [does {B} have|are {B}'s]?",
        "x*2=t",
    ),
    Template(
        "times_both",
        "x:4..30 k:3..6",
        "{B} has {k} times as many {o} as {A}. {A} has {x} {o}. How many {o} do {A} and {B} have " + _SUM + "?",
        "x*k=t t+x=s",
    ),
    Template(
        "half_sold",
        "h:8..60 x=h*2",
        "{A} [made|baked|painted] {x} {o} and sold half of them [at the fair|on Sunday|to a shop]. How many {o} [are left|remain]?",
        "x/2=h x-h=r",
    ),
    Template(
        "half_then_more",
        "h:8..45 x=h*2 y:3..30",
        "{A} sold {x} {o} in [May|March|June]. In [July|August|September] {A.he} sold half as many, and then {y} more. How many {o} did"
        " {A} sell in [that|the] second month?",
        "x/2=h h+y=s",
    ),
    Template(
        "price",
        "x:3..12 y:2..15",
        "{A} [buys|orders] {x} {o}. [Each|One] {o1} costs ${y}. How [much|many dollars] does {A} [pay|spend|need] "
        + _SUM
        + "?",
        "x*y=t",
    ),
    Template(
        "price_two",
        "x:2..9 y:2..12 z:2..9 w:2..12",
        "{A} buys {x} {o} for ${y} each and {z} {p} for ${w} each. How much [does|will] {A} [pay|spend] " + _SUM + "?",
        "x*y=t z*w=u t+u=s",
    ),
    Template(
        "change",
        "x:2..9 y:2..9 z:2..19 w=x*y+z",
        "{A} [goes|walks|drives] to the [shop|store|market] with ${w}. {A.He} buys {x} {o} at ${y} each. How [much money|many dollars] does"
        " {A.he} have left?",
        "x*y=t w-t=r",
    ),
    Template(
        "half_dollar",
        "a:1..9 k:2..9 n=2*k c=a+1/2",
        "{A} [buys|orders] {n} {o} at ${a}.50 each. How much do they cost " + _SUM + "?",
        "c*n=t",
    ),
    Template(
        "sell",
        "x:4..20 y:2..9 z:3..x*y-2",
        "{A} [makes|paints|builds] {o} and sells them for ${y} each. [Last week|Yesterday|This month] {A.he} sold {x} {o}, but the [stall|table|stand]"
        " cost {A.him} ${z}. How much [profit did {A} make|money did {A} earn after paying for it]?",
        "x*y=t t-z=r",
    ),
    Template(
        "daily",
        "x:3..30 y:2..9",
        "{A} [v=reads|writes|types] {x} pages [every|each] day. How many pages does {A.he} [v=read|write|type] in {y} days?",
        "x*y=t",
    ),
    Template(
        "weeks",
        "x:2..12 y:2..8 z:5..40",
        "{A} saves ${x} [a|every|each] week for {y} weeks. {A.He} [already had|began with] ${z}. How much [money does {A} have|does {A} have saved]"
        " [now|at the end]?",
        "x*y=t t+z=s",
    ),
    Template(
        "wage",
        "x:8..25 y:3..9 z:2..5",
        "{A} earns ${x} an hour. {A.He} works {y} hours [a|each|every] day for {z} days. How much does {A} earn "
        + _SUM
        + "?",
        "x*y=t t*z=u",
    ),
    Template(
        "rows",
        "x:3..12 y:4..15 z:2..x*y-3",
        "A [hall|room|tent] has {x} rows of {y} seats. {z} [seats|of the seats] are [taken|full]. How many seats are [free|empty]?",
        "x*y=t t-z=r",
    ),
    Template(
        "trip",
        "x:20..70 y:2..6",
        "{A} [drives|rides] at {x} miles an hour for {y} hours. How [far|many miles] does {A} [go|travel|get]?",
        "x*y=t",
    ),
    Template(
        "trip_two",
        "x:10..70 y:2..5 z:5..60",
        "{A} [drives|rides|cycles] {x} miles [a|each|every] day for {y} days. On the [last|final] day {A.he} goes {z} more miles. How many miles"
        " [is that|did {A} go] " + _SUM + "?",
        "x*y=t t+z=s",
    ),
    Template(
        "age",
        "x:5..40 y:3..30 z:2..15",
        "{A} is {x} years old. {B} is {y} years older than {A}. How old will {B} be in {z} years?",
        "x+y=s s+z=t",
    ),
    Template(
        "younger",
        "x:25..70 y:3..20",
        "{A} is {x} [years old|now]. {B} is {y} years younger. What is the sum of their ages?",
        "x-y=r x+r=t",
    ),
    Template(
        "packs_needed",
        "k:2..9 y:4..12 x=k*y z:2..9",
        "{A} needs {x} {o} for a party. They come in packs of {y}, and a pack costs ${z}. How much does {A} [pay|spend]?",
        "x/y=k k*z=t",
    ),
    Template(
        "three_days",
        "x:5..50 y:3..30 z:3..30",
        "On Monday {A} [v=sold|made|found] {x} {o}. On Tuesday {A.he} [v=sold|made|found] {y} more than on Monday, and on Wednesday {z}. How many {o} did {A} [v=sell|make|find] on"
        " the three days " + _SUM + "?",
        "x+y=s x+s=t t+z=u",
    ),
    Template(
        "triple_then_give",
        "x:4..25 k:2..4 z:3..x*k-2",
        "{A} has {x} {o} and {B} has {k} times that [many|number]. {B} [gives|lends|sells] {z} {o} to {C}. How many {o} does {B} have [left|now]?",
        "x*k=t t-z=r",
    ),
    Template(
        "minutes",
        "x:3..9 y:5..20 z:5..40",
        "It takes {A} {y} minutes to [paint|wash|fix] one {o1}. {A.He} does {x} of them and then [rests|sleeps|waits] for {z} minutes. How many minutes"
        " [is that|have gone by] " + _SUM + "?",
        "x*y=t t+z=s",
    ),
    Template(
        "missing",
        "x:10..60 y:5..60 s=x+y",
        "{A} wants {s} {o}. {A.He} [already has|has] {x} of them. How many more {o} does {A} need?",
        "s-x=y",
    ),
    Template(
        "each_and_each",
        "x:2..9 y:2..9 z:2..9",
        "{A} visits {x} [towns|farms|shops]. In each of them {A.he} buys {y} {o} and {z} {p}. How many [things|items] does {A} buy "
        + _SUM
        + "?",
        "y+z=s x*s=t",
    ),
    Template(
        "difference",
        "x:30..99 y:8..x-5",
        "{A} has {x} {o} and {B} has {y}. How many more {o} does {A} have than {B}?",
        "x-y=r",
    ),
)

#: Templates of the new-templates split: wordings never seen in training, some with the order of steps of training.
NEW_TEMPLATES: tuple[Template, ...] = (
    Template(
        "garden",
        "x:3..9 y:4..12 z:2..x*y-3 w:2..20",
        "{A} plants {x} beds with {y} flowers. A storm ruins {z} flowers, so {A} plants {w} new ones. How many flowers grow there now?",
        "x*y=t t-z=r r+w=s",
    ),
    Template(
        "bus",
        "x:10..50 y:2..x-2 z:2..20",
        "A bus leaves the station with {x} passengers. At the first stop {y} get off and {z} get on. How many passengers ride on?",
        "x-y=r r+z=s",
    ),
    Template(
        "ribbon",
        "k:2..9 y:2..12 x=k*y z:2..9",
        "{A} cuts a rope of {x} feet into pieces of {y} feet. For every piece {A.he} ties {z} knots. What is the number of knots?",
        "x/y=k k*z=t",
    ),
    Template(
        "wallet",
        "x:20..90 y:2..x-10 z:2..8",
        "After paying ${y} for a {o1}, {A} still had ${x}. Before that, {A.he} had earned ${z} from {B}. How much did {A} have before earning anything?",
        "x+y=s s-z=r",
    ),
    Template(
        "thirds",
        "h:4..30 x=h*3",
        "One third of the {x} {o} at the school are {A}'s, the others are {B}'s. How many belong to {B}?",
        "x/3=h x-h=r",
    ),
    Template(
        "library",
        "x:4..15 y:2..9 z:2..9",
        "A library lends {x} books in the morning and {y} times that number after lunch. By evening, {z} are back. How many are still out?",
        "x*y=t t+x=s s-z=r",
    ),
    Template(
        "recipe",
        "x:2..9 y:2..9 z:2..9",
        "One cake takes {x} eggs and one pie takes {y}. {A} bakes {z} of each. How many eggs go in?",
        "x+y=s s*z=t",
    ),
    Template(
        "fence",
        "x:5..40 y:4..30",
        "{A}'s field is {x} feet long and {y} feet wide. What length of fence goes once around it?",
        "x+y=s s*2=t",
    ),
)
