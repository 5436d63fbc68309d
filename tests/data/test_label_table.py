"""Tables of labels as people and programs write them."""

import unicodedata
from pathlib import Path

import pytest

from convlens.data.layout import arrange
from convlens.errors import InputError

PHOTOS = ["pics/été 1.jpg", "pics/2.jpg", "pics/3.jpg", "labels.csv"]
ROWS = [("pics/été 1.jpg", "ant"), ("pics/2.jpg", "bee"), ("pics/3.jpg", "ant")]


def labels(content, members=PHOTOS, asked=None):
    return arrange(members, Path("x.zip"), asked, lambda _: content)


def table(rows=ROWS, header="file,label", between=",", encoding="utf-8", end="\n"):
    lines = [header, *(between.join(row) for row in rows)]
    return (end.join(lines) + end).encode(encoding)


def files(change):
    return table([(change(file), label) for file, label in ROWS])


@pytest.mark.parametrize(
    "content",
    [
        table(),
        table(encoding="utf-8-sig"),
        table(encoding="utf-16", between="\t", header="file\tlabel"),
        table(header="file;label", between=";"),
        table(header="sep=;\nfile;label", between=";"),
        table(header="file|label", between="|"),
        table(end="\r\n") + b"\r\n,\r\n",
        table(header='"Image Name","Class-Label"'),
        table([("0", label, file) for file, label in ROWS], ",labels,filepath"),
        table([(f" {file} ", f'"{label}" ') for file, label in ROWS], " file , label ").replace(
            b'"', b""
        ),
        files(lambda file: file.replace("/", "\\")),
        files(lambda file: ".\\" + file.replace("/", "\\")),
        files(lambda file: "C:\\data\\" + file.replace("/", "\\")),
        files(lambda file: f"/home/me/{file}"),
        files(lambda file: file.removeprefix("pics/").removesuffix(".jpg")),
        files(lambda file: file.upper()),
        files(lambda file: unicodedata.normalize("NFD", file)),
    ],
)
def test_what_says_the_same_is_read_the_same(content):
    found = labels(content)
    assert {name: place.label for name, place in found.photos.items()} == dict(ROWS)
    assert found.classes == ("ant", "bee")
    assert not found.warnings


def test_quoted_commas_and_numbers_are_labels_too():
    rows = [(file, f'"{n % 2}, {label}"') for n, (file, label) in enumerate(ROWS)]
    assert labels(table(rows)).classes == ("0, ant", "1, bee")
    assert labels(table([(file, str(n % 2)) for n, (file, _) in enumerate(ROWS)])).classes == (
        "0",
        "1",
    )


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("pics/9.jpg,wasp", "1 row without a photo, e.g. pics/9.jpg"),
        ("pics/9.jpg,wasp", "1 label without any photo, e.g. wasp"),
        (",wasp", "1 row without a photo, e.g. (no file, wasp)"),
        ("pics/2.jpg,bee", "1 row repeated, e.g. pics/2.jpg"),
        ("2,bee", "1 row repeated, e.g. 2"),
        ("pics/2.jpg", "1 row without a label, e.g. pics/2.jpg"),
        (
            "pics/2.jpg,bee, wild",
            "1 row with more cells than the header, left out, e.g. pics/2.jpg",
        ),
        ("pics/3.jpg,bee", "1 photo of two labels left out, e.g. pics/3.jpg"),
    ],
)
def test_every_row_that_does_not_fit_is_counted(row, line):
    found = labels(table() + row.encode() + b"\n")
    assert f"labels.csv: {line}" in found.warnings
    assert len(found.photos) + len(found.ignored) == len(PHOTOS)
    assert list(found.ignored.values()).count("of two labels in the table") == (
        "two labels" in line
    )


def test_photos_of_labels_that_the_user_left_out_are_counted():
    rows = [*ROWS, ("pics/4.jpg", "wasp")]
    found = labels(table(rows), [*PHOTOS, "pics/4.jpg"], ["bee", "ant"])
    assert found.classes == ("bee", "ant")
    assert found.warnings == ("1 photo left out: of other labels: wasp (1)",)


TABLE = """id,breed
0.jpg,rose
1,rose
./2.jpg,tulip
sub/3,tulip
3,daisy
gone.jpg,rose
0.jpg,rose
4.jpg,
5.jpg,rose
5.jpg,tulip
"""


def test_a_table_says_the_class_of_each_photo_and_what_does_not_fit_is_counted():
    members = [f"train/{n}.jpg" for n in (0, 1, 2, 4, 5, 6)] + ["train/sub/3.jpg", "labels.csv"]
    found = arrange(members, Path("x.zip"), read=lambda _: TABLE.encode())
    labels = {name.split("/")[-1]: place.label for name, place in found.photos.items()}
    assert labels == {"0.jpg": "rose", "1.jpg": "rose", "2.jpg": "tulip"}
    assert {place.split for place in found.photos.values()} == {"train"}
    said = "\n".join(found.warnings)
    for line in (
        "1 row without a photo, e.g. gone.jpg", "1 row repeated, e.g. 0.jpg",
        "1 row without a label, e.g. 4.jpg", "2 photos of two labels left out",
        "2 photos left out: no row names them, e.g. train/4.jpg",
    ):  # fmt: skip
        assert line in said
    assert len(found.photos) + len(found.ignored) == len(members)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a,b\n1,2\n", "columns a, b"),
        (b"", "columns none"),
        (b"file,label\n\xff,a\n", "not UTF-8"),
        (None, "unreadable"),
        ("file,label\n1.jpg,é\n".encode("latin-1"), "not UTF-8(.|\n)*save it as UTF-8"),
        (
            b"1.jpg,ant\n2.jpg,bee\n",
            "no header: the first line is 1.jpg, ant(.|\n)*write file,label",
        ),
        (b'file,label\n1.jpg,"ant\n2.jpg,bee\n', "no CSV(.|\n)*mend its quotes"),
        (b"file,label,Label\n1.jpg,a,b\n", "two columns called label"),
        (b"file,label\n", "0 rows, none of which has a label and a photo"),
        (
            b"file,label\nb/7.jpg,ant\nb/8.jpg,bee\n",
            "e.g. b/7.jpg; the photos are called like 1.jpg",
        ),
        (b"file,label\n1.jpg,ant\n2.jpg,ant\n", "1 class; two or more"),
        (b"file,label\n1.jpg,ant\n2.jpg,Ant\n", "'Ant' and 'ant' differ in nothing but case"),
        (b"file,label\n1.jpg,red ant\n2.jpg,red  ant\n", "differ in nothing but case, blanks"),
        (b"file,label\n1.jpg,a/b\n2.jpg,c\n", "'a/b': a name with a slash"),
        (b"file,label\n1.jpg,.a\n2.jpg,c\n", "begins with a dot"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_message(content, word):
    with pytest.raises(InputError, match=word):
        arrange(["1.jpg", "2.jpg", "labels.csv"], Path("x.zip"), read=lambda _: content)
