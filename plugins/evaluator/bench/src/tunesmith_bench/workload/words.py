"""Common English words of one syllable or two, most of them one token: what prompts that are made up consist of."""

_LINES = (
    "time year people way day man thing woman life child world school state family student group country problem hand part place case week "
    "company system program question work number night point home water room mother area money story fact month lot right study book eye "
    "job word business issue side kind head house service friend father power hour game line end member law car city name team minute idea "
    "body back parent face level office door health person art war history party result change morning reason research girl guy moment air "
    "teacher force education foot boy age policy music market sense nation plan college interest death course light effort use field light "
    "river stone garden winter summer bridge letter window silver paper mountain forest island harbor engine wheel"
)
WORDS = tuple(_LINES.split())
