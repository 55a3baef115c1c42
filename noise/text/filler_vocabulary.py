"""The people, towns and things that distractors bring along: the ordinary scenery of grade-school word problems.

Whatever of it a question has is refused by the certification, so the stock is wide rather than far-fetched.
"""

from __future__ import annotations

from noise.text.given_names import NEWCOMERS
from noise.text.word_lists import word_list

NAMES = NEWCOMERS

TOWNS = word_list(
    """
    Springfield Fairview Riverside Greenville Salem Georgetown Arlington Ashland Burlington Dover Kingston Milton
    Newport Bristol Lexington Milford Winchester Dayton Auburn Lebanon Manchester Centerville Plymouth Brookfield
    Fairfield Lakewood Oakdale Glenwood Maplewood Ridgewood Westfield Eastwood Northport Bloomfield Cedarville
    Hillsboro Brookside Pleasantville Concord Bedford Hamilton Monroe Lakeside Woodstock Richmond Portland Rockford
    Jamestown Waterford Stratford Wakefield Middletown Danville Greenwood Hopewell Hillside Beaverton Greenfield
    Littleton Easton Weston Norwood Edgewood Ferndale Elmwood Oakwood Pinehurst Ridgefield Sheffield Southport
    Stamford Summerfield Sunnyvale Thornton Unionville Watertown Westport Whitfield Williamsburg Wilmington Windsor
    Woodbury Yorktown Ashford Belmont Brighton Clayton Crestview Fremont Glendale Harrisburg Lakeville Marysville
    """
)
# Towns that the distractors of others may name: the certification knows more than the noises say.
FAR_TOWNS = word_list(
    """
    Oslo Bergen Trondheim Malmo Gdansk Trieste Porto Bilbao Antwerp Rostock Tallinn Riga Odesa Izmir Tunis Dakar
    Accra Lagos Mombasa Zanzibar Durban Muscat Karachi Colombo Penang Manila Osaka Nagoya Perth Hobart Dunedin
    Lima Cartagena Montevideo Valparaiso Recife Reykjavik Tromso Thessaloniki Patras Valletta Palermo Cagliari
    Uppsala Krakow Brno Graz Linz Salzburg Basel Zurich Bern Dresden Leipzig Vilnius Minsk Ljubljana Bratislava
    Sarajevo Innsbruck Wroclaw Turin Bologna Braga Seville Toledo Rouen Lyon Nantes Ghent Utrecht Haarlem Bremen
    Tbilisi Yerevan Ankara Aleppo Cairo Fez Nairobi Lusaka Lahore Jaipur Mysore Dhaka Hanoi Kyoto Cusco Quito
    Bogota Zagreb Skopje Debrecen Timisoara Plovdiv
    """
)
STREETS = tuple(
    f"{name} {kind}"
    for name in word_list(
        """
        Elm Oak Maple Pine Cedar Main Park Washington Lincoln Walnut Chestnut Willow Birch Spruce Hickory Market Church
        Mill Water Spring River Lake Hill Highland Sunset Meadow Forest Franklin Jefferson Madison Adams Jackson Center
        School Bridge Garden Orchard Valley Prospect Pleasant Liberty Union Railroad Broad Grove Cherry Locust Laurel
        """
    )
    for kind in ("Street", "Avenue", "Road", "Lane")
)

# What somebody owns, buys or sells.
THINGS = word_list(
    """
    books pencils stickers marbles crayons balloons pens toys dolls hats shirts notebooks posters magazines ribbons
    buttons beads candles cups plates bowls baskets towels blankets pillows markers erasers folders puzzles comics
    postcards photos paintings kites socks scarves gloves necklaces bracelets rings flags mugs lamps napkins spoons
    forks umbrellas backpacks belts mittens sweaters bookmarks whistles envelopes tickets albums games
    """
)
# What somebody collects or counts.
COLLECTED = word_list(
    "coins stamps shells cards rocks badges medals feathers stickers marbles postcards comics keys buttons"
)
BAKED = word_list("cookies cupcakes muffins brownies pies cakes donuts bagels rolls loaves pretzels pastries")
FOODS = BAKED + word_list("pancakes waffles sandwiches pizzas burgers tacos burritos popsicles lollipops hotdogs")
VEGETABLES = word_list("tomatoes potatoes carrots onions cucumbers pumpkins cabbages peppers radishes beets turnips")
CROPS = VEGETABLES + word_list("apples oranges peaches pears plums cherries lemons strawberries blueberries melons")
PLANTS = word_list("roses tulips daisies sunflowers lilies trees bushes daffodils carnations marigolds shrubs")
FARM_ANIMALS = word_list("cows horses pigs goats sheep chickens ducks geese rabbits turkeys hens lambs ponies")
POND_ANIMALS = word_list("ducks geese frogs turtles fish swans")
WILDLIFE = word_list("ducks geese squirrels birds robins frogs butterflies crows turtles rabbits")
