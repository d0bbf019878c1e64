"""Wordings and words of the demo's prompts."""

Row = tuple[str, ...]

WORDINGS: dict[str, Row] = {
    "add": (
        "What is {0} + {1}? Answer with the number alone.",
        "Add {0} and {1}. Give only the number.",
        "{0} plus {1} makes how much? Reply with just the number.",
    ),
    "subtract": (
        "What is {0} - {1}? Answer with the number alone.",
        "Take {1} away from {0}. Give only the number.",
        "{0} minus {1} leaves how much? Reply with just the number.",
    ),
    "multiply": (
        "What is {0} times {1}? Answer with the number alone.",
        "Multiply {0} by {1}. Give only the number.",
        "How much is {0} x {1}? Reply with just the number.",
    ),
    "largest": (
        "Which of these numbers is the largest: {0}, {1}, {2}? Answer with the number alone.",
        "Pick the largest number from {0}, {1} and {2}. Give only the number.",
        "Of {0}, {1} and {2}, which is the largest? Reply with just the number.",
    ),
    "letters": (
        'How many letters are in the word "{0}"? Answer with the number alone.',
        'Count the letters of "{0}". Give only the number.',
        'The word "{0}" has how many letters? Reply with just the number.',
    ),
    "words": (
        'How many words are in "{0}"? Answer with the number alone.',
        'Count the words of "{0}". Give only the number.',
        'The line "{0}" has how many words? Reply with just the number.',
    ),
    "sort_words": (
        "Sort these words from A to Z: {0}, {1}, {2}. Write only the words, with commas between them.",
        "Put {0}, {1} and {2} in alphabetical order. Write one line with commas and nothing else.",
        "Alphabetical order, please: {0}, {1}, {2}. Just the three words on one line, separated by commas.",
    ),
    "sort_numbers": (
        "Sort these numbers from smallest to largest: {0}, {1}, {2}. Write only the numbers, with commas between them.",
        "Put {0}, {1} and {2} in rising order. Write one line with commas and nothing else.",
        "Smallest first, please: {0}, {1}, {2}. Just the three numbers on one line, separated by commas.",
    ),
    "one_word": (
        "Name {0}. Answer with one word only.",
        "Give me an example of {0}. Use a single word.",
        "Think of {0} and reply with exactly one word.",
    ),
    "opposite": (
        'What is the opposite of "{0}"? Answer with one word only.',
        'Give the opposite of "{0}". Use a single word.',
        'Which word means the opposite of "{0}"? Reply with exactly one word.',
    ),
    "yes_no": (
        "{0} Answer only yes or no.",
        "{0} Reply with yes or with no and nothing else.",
        "Yes or no, in one word: {0}",
    ),
    "lower_case": (
        "Describe {0} in one sentence. Use only lower case letters.",
        "Write one sentence about {0}, all in lower case.",
        "In a single sentence without any capital letters, tell me about {0}.",
    ),
    "upper_case": (
        "Write a short warning about {0} in capital letters only.",
        "Warn people about {0} in one sentence, ALL IN CAPITALS.",
        "MAKE A SIGN ABOUT {0}. USE CAPITAL LETTERS ONLY.",
    ),
    "bullets": (
        'Give exactly three reasons to {0}. Write three bullet points that start with "- " and nothing else.',
        'Why should I {0}? Answer with exactly three bullet points, each starting with "- ".',
        'List three good things about the plan to {0}. Use three bullets ("- ") and no other text.',
    ),
    "end_word": (
        'Write one sentence about {0} that ends with the word "{1}".',
        'Tell me about {0} in a single sentence. Its last word must be "{1}".',
        'Make one sentence about {0}. Finish it with the word "{1}".',
    ),
    "no_comma": (
        "Write two sentences about {0}. Do not use any commas.",
        "Tell me about {0} in exactly two sentences without a comma.",
        "Describe {0}. Use two sentences and no commas.",
    ),
    "start_phrase": (
        'Give me one tip about {0} in a single sentence. Begin with "My tip is".',
        'Share advice on {0}. Write one sentence and start it with "My tip is".',
        'Start with the words "My tip is" and finish the sentence with advice on {0}.',
    ),
    "comma_list": (
        "Name three {0}. Write them on one line with commas between them and nothing else.",
        "List three {0}, separated by commas. No other text.",
        "Give me just three {0} in a single line, divided by commas.",
    ),
    "keywords": (
        'Write one sentence with the words "{0}" and "{1}".',
        'Use both "{0}" and "{1}" in a single sentence.',
        'Make one sentence in which "{0}" and "{1}" appear.',
    ),
    "brackets": (
        "Invent a short title for a story about {0}. Put it in square brackets, like [this].",
        "Write only a title for a poem about {0}, inside square brackets [ ].",
        "A song about {0} needs a name. Give the name in square brackets [ ] and nothing else.",
    ),
}

LETTER_WORDS = (
    "apple", "bridge", "candle", "dog", "engine", "flower", "garden", "hat",
    "island", "jungle", "kitchen", "lamp", "morning", "nest", "orange", "pencil",
)  # fmt: skip

LINES = (
    "the dog ran home", "birds sing", "we like warm bread", "my brother paints the old fence",
    "snow fell all night", "she reads", "open the window please", "the blue boat left without us",
    "tea is ready", "he plays the drum very well", "stars shine", "our train comes at noon",
    "a small mouse hid here", "they dance", "keep the door shut", "the soup is too hot to eat",
)  # fmt: skip

SORT_POOL = (
    "ant", "bear", "cat", "deer", "eel", "fox", "goat", "hen", "ibis", "jay", "koala", "lion", "mole", "newt",
    "owl", "pig", "quail", "rat", "seal", "toad", "viper", "wolf", "yak", "zebra",
)  # fmt: skip

ONE_WORD = (
    "a color", "a fruit", "an animal that can fly", "a country in Europe", "a musical instrument",
    "a day of the week", "a drink", "a tool for cutting", "a sport played with a ball", "a month",
    "a piece of furniture", "a vegetable", "a planet", "something you wear on your feet", "a metal", "a job",
)  # fmt: skip

OPPOSITES: tuple[Row, ...] = (
    ("hot", "cold", "cool"), ("big", "small", "little", "tiny"), ("fast", "slow"), ("up", "down"),
    ("open", "closed", "close", "shut"), ("light", "dark", "heavy", "darkness"), ("early", "late"),
    ("happy", "sad", "unhappy"), ("full", "empty"), ("old", "new", "young"), ("wet", "dry"), ("loud", "quiet", "soft"),
    ("strong", "weak"), ("high", "low"), ("rich", "poor"), ("clean", "dirty"),
)  # fmt: skip

QUESTIONS: tuple[Row, ...] = (
    ("Is ice cold?", "yes"), ("Can fish drive cars?", "no"), ("Is the sun a planet?", "no"),
    ("Is 7 an odd number?", "yes"), ("Do birds have wings?", "yes"), ("Is 10 smaller than 3?", "no"),
    ("Is water wet?", "yes"), ("Do stones grow on trees?", "no"), ("Does a week have seven days?", "yes"),
    ("Is Paris in Japan?", "no"), ("Is snow black?", "no"), ("Do cows eat grass?", "yes"),
    ("Is 8 an even number?", "yes"), ("Do cats lay eggs?", "no"), ("Is an apple a fruit?", "yes"),
    ("Can a table run?", "no"),
)  # fmt: skip

SUBJECTS = (
    "rain", "bread", "winter", "music", "coffee", "bees", "trains", "the moon",
    "mountains", "libraries", "soccer", "cheese", "dreams", "rivers", "birthdays", "horses",
)  # fmt: skip

DANGERS = (
    "ice", "dogs", "bees", "fire", "traffic", "waves", "snakes", "wet paint",
    "storms", "smoke", "glass", "mud", "bears", "steam", "rocks", "wind",
)  # fmt: skip

PLANS = (
    "walk to work", "learn to cook", "plant a tree", "get up early", "read every day", "adopt a cat",
    "save money", "learn a language", "visit a museum", "drink more water", "ride a bicycle", "keep a diary",
    "call old friends", "join a choir", "sleep eight hours", "grow tomatoes",
)  # fmt: skip

ENDINGS: tuple[Row, ...] = (
    ("a dog", "home"), ("the sea", "blue"), ("a farmer", "corn"), ("breakfast", "eggs"), ("a teacher", "school"),
    ("the night", "stars"), ("a ship", "water"), ("the forest", "trees"), ("a baker", "bread"), ("summer", "sun"),
    ("a pilot", "sky"), ("a painter", "colors"), ("the city", "streets"), ("a cat", "milk"), ("a king", "gold"),
    ("tea", "cup"),
)  # fmt: skip

SCENES = (
    "autumn", "the ocean", "a busy market", "your favorite meal", "an old house", "a school day", "the desert",
    "a small village", "friendship", "a rainy day", "elephants", "the internet", "a good book", "camping",
    "chess", "the color green",
)  # fmt: skip

TIPS = (
    "sleep", "cooking rice", "job interviews", "saving money", "running", "public speaking", "house plants",
    "writing letters", "learning math", "travel", "making friends", "cleaning", "driving in snow", "photos",
    "reading more", "training a puppy",
)  # fmt: skip

KINDS = (
    "fruits", "colors", "farm animals", "countries", "drinks", "sports", "tools", "flowers",
    "vegetables", "musical instruments", "kinds of weather", "jobs", "birds", "desserts", "clothes", "cities",
)  # fmt: skip

PAIRS: tuple[Row, ...] = (
    ("river", "lantern"), ("cat", "window"), ("bread", "morning"), ("storm", "boat"), ("letter", "friend"),
    ("garden", "rain"), ("doctor", "book"), ("train", "snow"), ("music", "street"), ("apple", "table"),
    ("child", "kite"), ("moon", "lake"), ("horse", "road"), ("soup", "spoon"), ("teacher", "chair"),
    ("bridge", "bus"),
)  # fmt: skip

STORIES = (
    "a lost key", "two brothers", "a talking tree", "the last train", "a brave mouse", "a secret door",
    "an empty island", "a clock maker", "a red balloon", "the first snow", "a shy giant", "a night market",
    "an old sailor", "a paper boat", "a missing cat", "the quiet hill",
)  # fmt: skip
