"""The words of the corpus: what an image may show, in the order every score vector uses."""

CATEGORIES = (
    "shirt",
    "trousers",
    "dress",
    "shoe",
    "bag",
    "hat",
    "mug",
    "bottle",
    "chair",
    "lamp",
    "watch",
    "glasses",
)
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "black", "white")
PATTERNS = ("plain", "striped", "checked", "dotted", "zigzag")
SIZES = ("small", "medium", "large")
PLACES = ("left", "center", "right")
TILTS = ("left", "upright", "right")

ATTRIBUTES = {"category": CATEGORIES, "colour": COLOURS, "pattern": PATTERNS}
"""What the three classifiers vote on; a score vector is these laid end to end."""

SCORE_SLICES = {
    "category": slice(0, 12),
    "colour": slice(12, 20),
    "pattern": slice(20, 25),
}
SCORES = 25
KEYPOINTS = 5

KEYPOINT_NAMES = {
    "shirt": ("neck", "left_cuff", "right_cuff", "left_hem", "right_hem"),
    "trousers": ("left_waist", "right_waist", "crotch", "left_ankle", "right_ankle"),
    "dress": ("left_strap", "right_strap", "waist", "left_hem", "right_hem"),
    "shoe": ("toe", "heel", "right_ankle", "left_ankle", "sole"),
    "bag": ("handle", "left_top", "right_top", "left_bottom", "right_bottom"),
    "hat": ("crown", "left_brim", "right_brim", "band", "front"),
    "mug": ("left_rim", "right_rim", "left_foot", "right_foot", "handle"),
    "bottle": ("cap", "left_shoulder", "right_shoulder", "left_foot", "right_foot"),
    "chair": ("left_back", "right_back", "seat", "left_foot", "right_foot"),
    "lamp": ("top", "left_shade", "right_shade", "stem", "foot"),
    "watch": ("top", "left_case", "dial", "right_case", "bottom"),
    "glasses": ("left_temple", "left_lens", "bridge", "right_lens", "right_temple"),
}
"""The five keypoints of a category, in order. ``left``/``right`` pairs lie on a level line of the
upright object, so a pair's slope in the image is the object's tilt."""
