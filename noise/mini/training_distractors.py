"""Templates of the irrelevant sentences in some training problems.

They share no wording with the distractors of the noises on purpose (a test compares the two), so that an evaluation
shows text that no training problem had. The notation is that of `problem_templates`; its people are never people of the
problem.
"""

from __future__ import annotations

from noise.mini.problem_templates import Template

TRAINING_DISTRACTORS: tuple[Template, ...] = (
    # Numbers that belong to somebody or something else.
    Template("owner", "x:2..99", "[Old|Young|Little] {A} once owned {x} {o}.", ""),
    Template("owner_now", "x:2..99", "{A} from the [next|other] street keeps {x} {o} in a shed.", ""),
    Template("sells_too", "x:2..99 y:2..20", "[Far off|In another town], {A} was asking ${y} for {x} {o}.", ""),
    Template("paid", "x:2..99", "The {o1} on the wall was worth ${x} [in its day|to somebody else].", ""),
    Template("years", "x:2..99", "The [street|house|shop|road] is {x} years old.", ""),
    Template("weight", "x:2..60", "A [cart|truck|wagon] with {x} {o} [rolled|went] past.", ""),
    Template("number_of", "x:2..99", "Number {x} was painted on the [gate|door|wall].", ""),
    Template("page", "x:2..99 y:2..50", "[Some|A] book about {o} has {x} chapters and {y} pictures.", ""),
    Template("temperature", "x:2..40", "It was {x} degrees [outside|that day|at noon].", ""),
    Template("clock", "x:2..11", "All this was at {x} in the morning.", ""),
    Template("uncle", "x:2..80", "An uncle of {A} had lost {x} {o} [years ago|at sea|on a train].", ""),
    Template("minutes_tea", "x:2..59", "{A} drank tea for {x} minutes.", ""),
    Template("miles_off", "x:2..90", "The sea is {x} miles [off|from here].", ""),
    Template("two_others", "x:2..60 y:2..60", "{A} dreamt of {x} {o} and {y} {p}.", ""),
    Template("decimal", "x:1..30 y:1..9", "Somebody had written {x}.{y} on a [wall|slip|stone].", ""),
    Template("half", "x:2..30", "[Half|Two thirds|Most] of the {x} {o} in the window were not for sale.", ""),
    Template("choir", "x:5..90", "A choir of {x} [sang|was singing] nearby.", ""),
    Template("twice", "", "{A} would like [twice|three times|four times] the {o} that {B} dreams of.", ""),
    # Arithmetic that is true and irrelevant.
    Template("sum", "x:2..60 y:2..60 s=x+y", "[Everyone knows that|It is true that] {x} + {y} = {s}.", ""),
    Template(
        "difference", "x:20..99 y:2..x-2 s=x-y", "[v=Taking|If you take] {y} from {x} [v=leaves|you get] {s}.", ""
    ),
    Template("product", "x:2..12 y:2..12 s=x*y", "{x} times {y} [is|makes|gives] {s}.", ""),
    Template("product_sign", "x:2..12 y:2..12 s=x*y", "[A wall said|The teacher wrote] {x} * {y} = {s}.", ""),
    Template("quotient", "y:2..12 s:2..12 x=y*s", "{A} [wrote|said] that {x} / {y} = {s}.", ""),
    Template("sum_story", "x:2..40 y:2..40 s=x+y", "{A} saw {x} {o} and {y} {p}, so {x} + {y} = {s} sights.", ""),
    Template(
        "product_story",
        "x:2..12 y:2..12 s=x*y",
        "A painter drew {x} lines of {y} {o}, and {x} * {y} = {s} {o} were drawn.",
        "",
    ),
    Template(
        "sum_words", "x:2..60 y:2..60 s=x+y", "{A} [said aloud|was taught|had to learn] that {x} and {y} make {s}.", ""
    ),
    Template(
        "sum_scene",
        "x:2..60 y:2..60 s=x+y",
        "The [ship|train|cellar] held {x} {o} and {y} {p}, {x} + {y} = {s} [pieces|goods].",
        "",
    ),
    Template(
        "quotient_story",
        "y:2..12 s:2..12 x=y*s",
        "[A tailor|A monk|{A}] cut {x} feet of cloth by {y}, and {x} / {y} = {s} strips came of it.",
        "",
    ),
    Template(
        "difference_story",
        "x:20..99 y:2..x-2 s=x-y",
        "The [baker|king|clown] ordered {x} {o} but sent {y} back, {x} - {y} = {s}.",
        "",
    ),
    Template("chain", "x:2..30 y:2..30 s=x+y z:2..20 t=s+z", "{x} + {y} is {s}, and {s} + {z} is {t}.", ""),
    Template("double", "x:2..50 s=x*2", "[Doubling {x} gives {s}|The double of {x} is {s}].", ""),
    Template("gone", "x:20..90 y:2..x-2 s=x-y", "{A} had {x} wishes, {y} came true, and {x} - {y} = {s} did not.", ""),
)
