"""Towns, people and things that the distractors are about: far from those of any grade-school question."""

from __future__ import annotations

from noise.text.word_lists import word_list

# Towns by the sea, cold towns and the rest, so that no harbor is in the mountains and no snow in the tropics.
PORT_TOWNS = word_list(
    """
        Oslo Bergen Trondheim Malmo Gdansk Trieste Porto Bilbao Antwerp Rostock Tallinn Riga Odesa Izmir Tunis Dakar
        Accra Lagos Mombasa Zanzibar Durban Muscat Karachi Colombo Penang Manila Osaka Nagoya Perth Hobart Dunedin
        Lima Cartagena Montevideo Valparaiso Recife Reykjavik Tromso Thessaloniki Patras Valletta Palermo Cagliari
        """
)
COLD_TOWNS = word_list(
    """
        Oslo Bergen Trondheim Tromso Reykjavik Uppsala Gdansk Krakow Brno Graz Linz Salzburg Basel Zurich Bern
        Dresden Leipzig Rostock Tallinn Riga Vilnius Minsk Ljubljana Bratislava Sarajevo Innsbruck
        """
)
_INLAND_TOWNS = word_list(
    """
    Wroclaw Turin Bologna Braga Seville Toledo Rouen Lyon Nantes Ghent Utrecht Haarlem Bremen Tbilisi Yerevan Ankara
    Aleppo Cairo Fez Nairobi Lusaka Lahore Jaipur Mysore Dhaka Hanoi Kyoto Cusco Quito Bogota Zagreb Skopje Debrecen
    Timisoara Plovdiv
    """
)
TOWNS = tuple(dict.fromkeys((*PORT_TOWNS, *COLD_TOWNS, *_INLAND_TOWNS)))

NAMES = word_list(
    """
        Ingrid Bartek Solveig Anselm Wendeline Torvald Ottilie Casimir Gudrun Leopold Zenobia Ambrose Hedwig Rasmus
        Philippa Osvaldo Ludmila Thaddeus Sunniva Aurelio Brunhilde Fergus Ximena Balthazar Odette Evander Milena
        Cormac Seraphina Lazlo Rosalind Yorick Tamsin Hamish Isolde Jarek Petronella Anders Clothilde Mateusz
        Saoirse Ignatius Ulrika Piet Marguerite Stellan Agnieszka Lorcan Dagny Renzo Benedikta Tiberius Katarzyna
        Oleander Svetlana Quillon Fenella Wojtek Annelise Gustaf
        """
)

# Plural people: subjects that no later "he", "she" or "it" can refer to.
GROUPS = word_list(
    """
        glassblowers beekeepers surveyors archaeologists weavers stonemasons clockmakers bookbinders beachcombers
        astronomers cartographers blacksmiths potters shipbuilders historians botanists geologists mountaineers
        coppersmiths sculptors basketmakers lacemakers innkeepers engravers restorers antiquarians ferrymen rowers
        """
)

THINGS = word_list(
    """
        lanterns thimbles teapots barometers mosaics chandeliers tapestries telescopes sundials compasses anchors
        gargoyles looms medallions scrolls goblets amphoras figurines microscopes typewriters gramophones
        weathervanes spindles candlesticks inkwells kimonos accordions zithers tambourines corkscrews padlocks
        saddles anvils bellows parasols monocles manuscripts globes hourglasses pendulums fossils meteorites masks
        shields helmets pennants engravings lutes snuffboxes samovars
        """
)

BIRDS = word_list(
    "gulls herons cormorants storks kingfishers cranes magpies swallows starlings sparrows finches larks swifts"
)
CREATURES = BIRDS + word_list("ibexes marmots lynxes badgers geckos chameleons newts hedgehogs tapirs otters")
