"""The nouns that grade-school word problems are about, sorted by hand into kinds.

A kind says which sentences may speak of a noun (`noise/sd.py`) and which general words cover it (`HYPERNYMS`: "animals"
covers a cow).
"""

from __future__ import annotations

from noise.text.word_lists import word_list

# Countable nouns, by kind, in the singular.
COUNTABLE: dict[str, str] = {
    "animal": """
        animal pet dog cat puppy kitten cow horse pig goat sheep lamb rabbit bunny hamster mouse rat squirrel fox
        wolf bear lion tiger elephant giraffe monkey gorilla zebra kangaroo koala camel donkey calf bull ox deer
        moose raccoon dolphin whale seal shark turtle tortoise snake lizard frog toad alligator crocodile dinosaur
        dragon poodle hyena leopard jackal llama alpaca hippo rhino otter beaver mole bat ferret chipmunk octopus
        crab lobster iguana stallion mare pony gecko tadpole unicorn lynx hedgehog walrus tapir marmot ibex
        chameleon newt badger elk panda sloth skunk eel starfish jellyfish squid oyster clam shrimp
    """,
    "bird": """
        bird chicken duck goose turkey hen rooster owl eagle hawk crow pigeon parrot penguin flamingo swan sparrow
        robin chick duckling peacock ostrich seagull parakeet dove cardinal heron puffin gull stork pelican
        cormorant kingfisher condor crane magpie swallow starling tern albatross finch lark swift canary
    """,
    "fish": "fish goldfish trout salmon guppy tuna bass catfish angelfish carp minnow",
    "insect": """
        insect bug ant bee butterfly spider worm caterpillar grasshopper beetle cricket ladybug mosquito firefly fly
    """,
    "fruit": """
        fruit apple orange banana pear peach plum grape strawberry blueberry raspberry blackberry cherry lemon lime
        mango melon watermelon pineapple coconut kiwi apricot berry fig avocado tangerine grapefruit cantaloupe
        pomegranate raisin
    """,
    "vegetable": """
        vegetable carrot potato tomato onion cucumber pepper cabbage mushroom radish turnip pumpkin bean pea beet
        eggplant zucchini squash pickle
    """,
    "sweet": """
        candy sweet cookie cupcake cake brownie donut doughnut muffin pie lollipop marshmallow chocolate jellybean
        dessert treat popsicle gumball caramel truffle pastry cheesecake macaroon tart biscuit gumdrop
    """,
    "food": """
        egg sandwich pizza burger hamburger taco burrito meal snack lunch dinner breakfast loaf bagel pancake waffle
        roll bun cracker chip noodle meatball sausage steak salad omelet croissant pretzel peanut almond walnut nut
        cashew pistachio slice ingredient recipe feast nugget hotdog dumpling tortilla appetizer wrap
    """,
    "drink": "drink soda smoothie milkshake cocktail beverage latte espresso cappuccino beer",
    "flower": """
        flower rose tulip daisy lily sunflower daffodil carnation orchid petunia marigold dandelion bouquet iris
        violet
    """,
    "plant": """
        plant tree bush seed leaf cactus vine crop herb shrub oak maple palm branch weed log fern stump acorn bulb
    """,
    "clothing": """
        shirt t-shirt dress skirt hat cap sock shoe boot sandal sneaker coat jacket sweater glove mitten scarf tie
        belt suit uniform blouse costume hoodie vest cardigan sweatshirt outfit garment headband apron wig
    """,
    "jewelry": "necklace bracelet ring earring bead jewel diamond gem pearl crystal",
    "toy": """
        toy doll ball balloon marble puzzle kite block teddy lego frisbee yo-yo puppet dice skateboard scooter
        trampoline swing slide bear game videogame card basketball baseball football
    """,
    "paper": """
        book notebook textbook magazine newspaper comic page letter card envelope stamp sticker poster novel diary
        postcard album dictionary bookmark cookbook story poem essay brochure flyer report chapter
    """,
    "stationery": """
        pencil pen crayon marker eraser ruler folder binder backpack bookbag stapler highlighter paintbrush
    """,
    "picture": "picture photo photograph painting drawing portrait mural sculpture statue sketch",
    "vehicle": """
        car truck bus bike bicycle motorcycle van train airplane plane boat ship wagon tractor taxi helicopter
        rocket ferry vehicle yacht canoe kayak submarine minivan limousine tricycle trolley
    """,
    "furniture": """
        seat table chair desk bed sofa couch shelf bookcase bookshelf drawer cabinet lamp bench rug carpet mirror
        mattress wardrobe cupboard stool dresser closet
    """,
    "container": """
        box bag bottle jar basket bucket can cup glass bowl plate dish tray carton crate barrel tank pack packet
        package tub locker cart pot pan vase jug mug pitcher suitcase cooler purse wallet case container trunk bin
        sack sink bathtub
    """,
    "house": """
        building cottage skyscraper pyramid birdhouse house apartment room bedroom kitchen bathroom garage fence
        wall floor window door roof garden yard lawn backyard basement attic porch patio deck stair ceiling
        fireplace shed barn tent cabin castle tower
    """,
    "place": """
        business gallery cinema kindergarten orphanage jail shelter hall auditorium sandbox highway sidewalk county
        state country shore bay port school store shop market supermarket restaurant bakery library museum zoo park
        farm beach theater hospital office bank hotel gym stadium church factory city town village street road
        bridge airport station mall cafe cafeteria classroom playground aquarium pond lake river mountain forest
        island field orchard neighborhood warehouse bookstore college university arcade camp circus carnival court
        diner pool harbor valley hill vineyard ranch pasture campground planet desert ocean sea salon studio
        pharmacy greenhouse parking
    """,
    "person": """
        student teacher friend boy girl child kid man woman person brother sister mother father parent son daughter
        cousin uncle aunt grandmother grandfather baby adult neighbor farmer baker doctor nurse driver worker
        employee customer guest player classmate sibling twin teenager passenger visitor waiter waitress chef cook
        coach captain soldier artist musician singer dancer actor writer author painter carpenter mechanic lawyer
        engineer scientist fisherman hunter gardener pirate king queen prince princess knight wizard boss owner
        manager client tourist hiker runner swimmer member clown judge officer firefighter policeman pilot sailor
        tailor barber plumber electrician librarian principal professor pupil volunteer vendor shopper buyer seller
        collector patient spectator fan resident tenant roommate coworker partner freelancer rancher butcher dentist
        vet mom dad husband wife grandma grandpa grandchild grandson granddaughter nephew niece sheriff shepherd
        reporter voter citizen juggler gymnast athlete toddler lady male female people human builder cashier clerk
        contestant crew groom bride janitor jogger landlord mayor monk poet rider skater teammate glassblower
        beekeeper surveyor archaeologist weaver stonemason clockmaker bookbinder beachcomber astronomer cartographer
        lighthouse-keeper blacksmith potter shipbuilder historian botanist geologist mountaineer coppersmith
        sculptor basketmaker lacemaker innkeeper engraver restorer antiquarian piano-tuner ferryman rower spy
        general drummer dealer photographer journalist veterinarian grandparent stepsister stepbrother godmother
        attendee participant instructor tutor
    """,
    "group": """
        team class family club band group crowd choir company troop league society orchestra herd flock
    """,
    "event": """
        flight storm earthquake interview workout relay ride cookout carwash raffle lottery sleepover party trip
        wedding game race concert show movie film lesson parade picnic festival birthday holiday vacation sale
        contest tournament match recital journey exam test quiz performance play competition marathon meeting
        barbecue fair fundraiser season project hike tour practice dance conference auction
    """,
    "instrument": "guitar piano violin drum flute trumpet instrument harp cello saxophone",
    "device": """
        computer laptop phone tablet television tv camera radio clock watch machine robot printer keyboard
        smartphone battery console microwave oven stove refrigerator fridge freezer washer dryer vacuum calculator
        fan heater cellphone monitor speaker headphone engine video website app
    """,
    "tool": """
        barbell dumbbell magnet dart chalkboard lawnmower matchstick paperclip flagpole staircase pin javelin beaker
        billboard snowflake token badge
        tool hammer nail screw screwdriver saw drill wrench ladder rope knife fork spoon broom mop shovel rake hose
        needle umbrella candle towel blanket pillow quilt brush comb toothbrush key brick tile board pipe wheel tire
        curtain button plank pole stick rock stone seashell shell feather bulb lightbulb bell sign flag medal trophy
        coin napkin bandage diaper string ribbon wire chain sheet bar rod
    """,
    "sport": "goal touchdown home-run lap trophy",
    "work": "job chore task assignment hobby career",
    "music": "song album melody tune",
    "body": "leg arm hand tail wing ear petal paw eye tooth head muscle",
    "message": "email message text call episode question word",
    "idea": """
        morning evening afternoon price cost profit value point investment subject record calorie penny nickel dime
        digit object row figure riddle rank flavor follower credit portfolio protest breath step throw score
        skill lap length width perimeter area
        salary income paycheck haircut exercise diet problem triangle rectangle circle hairstyle semester
        scholarship budget discount debt loan donation bonus weekend birthday age tax deadline career dream goal
        mistake vote pill vitamin vaccine injury allowance expense bargain purchase situp pushup push-up
    """,
    "gift": "gift present souvenir prize reward",
    "business": "ticket coupon bill receipt order product item good",
}

# Nouns without a plural of their own.
MASS: dict[str, str] = {
    "stuff": """
        milk water juice lemonade tea coffee bread butter cheese sugar flour salt rice pasta meat beef pork ham
        bacon honey jam jelly soup cereal popcorn corn wheat hay grass soil sand wood paint paper glue yarn fabric
        cloth wool cotton gold silver copper gasoline gas fuel oil shampoo soap laundry dirt gravel cement concrete
        metal plastic snow ice rain chocolate ketchup mustard mayonnaise cream yogurt icing frosting syrup vanilla
        spaghetti lettuce broccoli spinach celery garlic ginger seafood toast dough candy cinnamon oatmeal granola
        wine beer fruit steam lumber fertilizer seaweed trash garbage recycling mulch leather silk clay
    """,
    "notion": """
        time land art growth mileage membership gum firewood earnings elevation skin moonlight geometry
        sleep traffic insurance electricity education health weather advertising shopping exercise medicine software
        hair laughter travel housework yoga teamwork overtime revenue rent sunlight wind folklore literature
        tradition gossip poetry energy research charity speed distance weight height age temperature training
        entertainment transportation housing news commuting
    """,
    "wear": "pants jeans shorts trousers leggings sunglasses glasses pajamas scissors binoculars groceries",
    "goods": """
        clothing jewelry furniture equipment luggage mail pottery stationery homework money fruit food clothes
    """,
    "pastime": """
        basketball football baseball soccer tennis golf hockey volleyball swimming fishing camping gardening baking
        cooking painting reading music dancing gymnastics chess bowling skating skiing hiking running knitting
        photography history science english maths math biology karate babysitting jogging cycling
    """,
}

_IRREGULAR = """
    person people, ferryman ferrymen, pants pants, child children, man men, woman women, mouse mice, goose geese, ox
    oxen, leaf leaves, loaf loaves, knife knives, shelf shelves, calf calves, wolf wolves, bookshelf bookshelves,
    scarf scarves, wife wives, sheep sheep, deer deer, fish fish, moose moose, goldfish goldfish, trout trout,
    salmon salmon, tuna tuna, catfish catfish, angelfish angelfish, squash squash, bass bass, carp carp, cactus
    cacti, fisherman fishermen, policeman policemen, grandchild grandchildren, crew crew, tooth teeth, foot feet,
    dice dice, half halves, life lives, potato potatoes, tomato tomatoes, mango mangoes, hero heroes, radio radios,
    photo photos, piano pianos, quiz quizzes, mosquito mosquitoes, bus buses, clothes clothes, people people
"""
IRREGULAR: dict[str, str] = dict(pair.split() for pair in _IRREGULAR.split(","))

# Words that are as often verbs or adjectives: taken for nouns only after a determiner or a number.
AMBIGUOUS_NOUNS = frozenset(
    word_list(
        """
        watch play park plant train book ring bat can bar order sale run shop present show walk drive ride work
        change light orange face cook coach fish duck fly saw drill nail screw water paint plan rent bowl box cup
        glass bag pool ship sign mail call text swing slide roll slice treat snack drink wrap string comb brush fan
        match test dance hike tour practice race trip party camp court fair good male female human adult iron seed
        weed board stamp picture photograph film record report block card page post rock stick hose vacuum button
        tie suit cap coat dress skirt top home-run lap class goal wash ball case chip club crop deck tank can pan
        pot bear seal crow hawk mole violet lime lemon peach cream copper gold silver snow ice rain english reading
        running swimming fishing camping gardening baking cooking painting dancing bowling skating skiing hiking
        knitting cycling jogging clothing recycling babysitting parking boss judge guest field hand lead order good
        sweet ham jam oil steam toast star cardinal squash pepper bank crew band group crowd yard bill chain wire
        sheet bus farm garden school shell ferry fork knife fence wall floor project table tablet bulb gas dirt fuel
        store market house room office desk garage dish tray track pole bug pet pilot nurse captain host guide model
        season board salt sugar butter flour pickle beat fly dice key tip ace mop rake shovel broom hammer stone
        wheel tile brick pipe rope tape bulb text email message game report chapter story fan fish toy meeting
        marker crayon crate barrel log branch leaf page letter envelope picnic holiday vacation task chore prize
        reward gift
        """
    )
)

# General words and the kinds they cover. "Items" covers whatever can be counted.
_THINGS = frozenset(
    word_list(
        """
        fruit vegetable sweet food drink flower plant clothing jewelry toy paper stationery picture vehicle
        furniture container instrument device tool gift business music message thing
        """
    )
)
_LIVING = frozenset({"animal", "bird", "fish", "insect"})
HYPERNYMS: dict[str, frozenset[str]] = {
    "animal": _LIVING,
    "creature": _LIVING,
    "pet": _LIVING,
    "bird": frozenset({"bird"}),
    "fish": frozenset({"fish"}),
    "insect": frozenset({"insect"}),
    "bug": frozenset({"insect"}),
    "fruit": frozenset({"fruit"}),
    "vegetable": frozenset({"vegetable"}),
    "food": frozenset({"fruit", "vegetable", "sweet", "food", "drink"}),
    "snack": frozenset({"fruit", "sweet", "food"}),
    "treat": frozenset({"sweet", "food"}),
    "sweet": frozenset({"sweet"}),
    "candy": frozenset({"sweet"}),
    "dessert": frozenset({"sweet"}),
    "meal": frozenset({"food"}),
    "drink": frozenset({"drink"}),
    "beverage": frozenset({"drink"}),
    "flower": frozenset({"flower"}),
    "plant": frozenset({"flower", "plant", "vegetable"}),
    "clothes": frozenset({"clothing"}),
    "clothing": frozenset({"clothing"}),
    "garment": frozenset({"clothing"}),
    "jewelry": frozenset({"jewelry"}),
    "toy": frozenset({"toy"}),
    "vehicle": frozenset({"vehicle"}),
    "furniture": frozenset({"furniture"}),
    "container": frozenset({"container"}),
    "instrument": frozenset({"instrument"}),
    "device": frozenset({"device"}),
    "machine": frozenset({"device"}),
    "tool": frozenset({"tool"}),
    "people": frozenset({"person"}),
    "person": frozenset({"person"}),
    "member": frozenset({"person"}),
    "adult": frozenset({"person"}),
    "man": frozenset({"person"}),
    "woman": frozenset({"person"}),
    "human": frozenset({"person"}),
    "worker": frozenset({"person"}),
    "employee": frozenset({"person"}),
    "guest": frozenset({"person"}),
    "visitor": frozenset({"person"}),
    "customer": frozenset({"person"}),
    "resident": frozenset({"person"}),
    "passenger": frozenset({"person"}),
    "building": frozenset({"house", "place"}),
    "place": frozenset({"place"}),
    "item": _THINGS,
    "thing": _THINGS | _LIVING,
    "object": _THINGS,
    "product": _THINGS,
    "good": _THINGS,
    "piece": _THINGS,
    "unit": _THINGS,
    "stuff": _THINGS,
    "supply": _THINGS,
    "souvenir": _THINGS,
    "gift": _THINGS,
    "present": _THINGS,
}
#: The general words that cover people.
PEOPLE_NOUNS = frozenset(noun for noun, kinds in HYPERNYMS.items() if "person" in kinds)

# Synonyms. The first word of each group stands for the group.
_SYNONYMS = """
    candy sweet, child kid, photo photograph picture, bicycle bike, stone rock, mother mom, father dad, shop store,
    hat cap, car automobile, truck lorry, couch sofa, donut doughnut, tv television, phone telephone cellphone
    smartphone, cookie biscuit, gift present, ship boat vessel, road street, student pupil, shoe sneaker boot
    trainer, plate dish, rabbit bunny, hamburger burger, airplane plane, film movie, grandmother grandma,
    grandfather grandpa, person people human, soda pop, refrigerator fridge, cab taxi, bag sack, jug pitcher,
    seashell shell, garden yard, apartment flat, coin penny nickel dime quarter, jacket coat, sweater jumper, house
    home, pig hog, chicken hen, bee honeybee
"""
SYNONYMS = {word: group.split()[0] for group in _SYNONYMS.split(",") for word in group.split()}

# Colors and materials: before another noun they only describe it.
DESCRIPTIVE_NOUNS = frozenset(
    word_list(
        """
    orange gold silver copper rose lime violet lemon cherry chocolate vanilla strawberry paper glass metal
    """
    )
)
