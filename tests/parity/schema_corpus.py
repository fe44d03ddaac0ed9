"""Schemas for the conformance test: some from life, the rest drawn by kind. All are supported."""
import random

S, I, N, B = ({"type": t} for t in ("string", "integer", "number", "boolean"))
NAMES = ["id", "name", "größe", "a b", "tags", "x/y", "q\"uote", "kind", "日付", "score", "next"]
FORMATS = ["date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"]
PATTERNS = ["^[A-Z]{2,5}-[0-9]{3,6}$", "^(yes|no|maybe)$", "^#[0-9a-fA-F]{6}$", "[0-9]", "^\\w+$",
            "^[^\"\\\\]+$", "^a.c", "^(?:\\+?[0-9]{1,3} )?[0-9 ]{6,12}$", "^v\\d+\\.\\d+(\\.\\d+)?$",
            "^[\\u00e4\\u4e16]{1,9}$", "^\\$[A-Z_]*$|^%[0-9]+$", "^\\S+@\\S+$",
            "^[\\n\\t\"\\\\]{2}$", "^[^\\d\\s]{2}$|^[\\W]{3}$"]


def obj(properties, required=None, **more):
    return {"type": "object", "properties": properties,
            "required": list(properties) if required is None else required, **more}


def listed(items, **more):
    return {"type": "array", "items": items, **more}


def from_life():
    strict = {"additionalProperties": False}
    node = {"$ref": "#/$defs/node"}
    expression = {"$ref": "#/definitions/expression"}
    yield {"type": "object"}
    yield True
    yield {}
    yield obj({"steps": listed(obj({"explanation": S, "output": S}, **strict)), "final_answer": S}, **strict)
    yield obj({"name": S, "date": {**S, "format": "date"}, "participants": listed(S)}, **strict)
    yield obj({"value": I, "children": listed({"$ref": "#"})}, **strict)
    yield {"$defs": {"node": obj({"value": I, "next": {"anyOf": [node, {"type": "null"}]}})}, **node}
    yield {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": S}}
    yield obj({"location": {**S, "description": "city"}, "unit": {**S, "enum": ["c", "f"]}}, ["location"])
    yield obj({"op": {"const": "add"}, "args": {"type": "array", "prefixItems": [N, N], "items": False, "minItems": 2}})
    yield {"definitions": {"expression": {"oneOf": [N, obj({"op": {"enum": ["+", "-"]}, "l": expression, "r": expression})]}}, **expression}
    yield {"allOf": [obj({"id": I}), {"properties": {"name": S, "id": {"minimum": 5}}, "required": ["name"]}]}
    yield {"anyOf": [obj({"type": {"const": "cat"}, "lives": {**I, "minimum": 1, "maximum": 9}}),
                     obj({"type": {"const": "dog"}, "good": {"const": True}})],
           "discriminator": {"propertyName": "type"}}
    yield obj({"matrix": listed(listed(N, minItems=2, maxItems=2), minItems=2, maxItems=2)})
    yield {"type": "object", "additionalProperties": N}
    yield {"type": "object", "propertyNames": {"pattern": "^[a-z]{1,8}$"}, "additionalProperties": I, "maxProperties": 4}
    yield {"type": "object", "propertyNames": {"enum": ["p", "q"]}, "additionalProperties": B, "minProperties": 1}
    yield obj({"a": S, "ab": I}, ["a"], additionalProperties=B)
    yield obj({"a": S}, ["a", "extra"], additionalProperties={"type": ["string", "null"]})
    yield {"type": ["string", "integer", "null"], "minLength": 2, "maximum": 9}
    yield {"enum": ["a", 1, -2.5, None, True, {"k": [1, "two"]}, [], "quote\" \\ \n ü"]}
    yield {"type": "integer", "enum": [1, "1", 2.5, 3]}
    yield {**S, "maxLength": 1000000}
    yield {**S, "minLength": 30, "maxLength": 30}
    yield {**S, "minLength": 3, "pattern": "^[a-z]"}
    yield {**S, "maxLength": 8, "pattern": "x$"}
    yield {"properties": {"n": {"minimum": 1.5, "maximum": 1.75}}, "required": ["n"]}
    yield obj({"open": obj({"deep": obj({"deeper": listed(obj({"x": B, "y": {"type": "null"}}))})})}, [])
    yield {"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": I, "b": S}, "type": "object"}
    yield {"type": "array", "items": [S, I], "additionalItems": False}
    yield {"type": "array", "prefixItems": [S, I], "items": B, "minItems": 1, "maxItems": 4}
    yield {"$defs": {"pos": {"type": "integer", "exclusiveMinimum": 0}},
           "properties": {"a": {"$ref": "#/$defs/pos", "maximum": 12}}, "type": "object", "required": ["a"]}


def numbers(draw):
    kind = draw.choice([I, N])
    places = 0 if kind is I else draw.choice([0, 1, 3])
    scale = 10 ** draw.randint(0, 12)
    low = round(draw.uniform(-scale, scale), places)
    high = round(low + draw.choice([1, 3, 50, scale]), places)
    low, high = (int(low), int(high)) if places == 0 else (low, high)
    schema = dict(kind)
    if draw.random() < 0.8:
        schema[draw.choice(["minimum", "exclusiveMinimum"])] = low - (kind is I)
    if draw.random() < 0.8:
        schema[draw.choice(["maximum", "exclusiveMaximum"])] = high + 2 * (kind is I)
    if kind is I and draw.random() < 0.4:
        schema["multipleOf"] = draw.choice([1, 2, 5, 7, 10, 12, 50, 100, 1000])
        if "maximum" in schema or "exclusiveMaximum" in schema:
            schema.pop("minimum", None)
            schema.pop("exclusiveMinimum", None)
    return schema


def strings(draw):
    way = draw.randrange(4)
    if way == 0:
        return {**S, "format": draw.choice(FORMATS)}
    if way == 1:
        return {**S, "pattern": draw.choice(PATTERNS)}
    if way == 2:
        low = draw.randint(0, 20)
        return {**S, "minLength": low, "maxLength": low + draw.randint(0, 12)}
    return {"enum": [draw.choice(["red", "green", "grün", "re"]) + "d" * i for i in range(draw.randint(1, 6))]}


def arrays(draw, depth):
    low = draw.randint(0, 3)
    schema = {"type": "array", "items": anything(draw, depth - 1)}
    if draw.random() < 0.6:
        schema["minItems"] = low
    if draw.random() < 0.6:
        schema["maxItems"] = low + draw.randint(0, 4)
    if draw.random() < 0.3:
        schema["prefixItems"] = [anything(draw, depth - 1) for _ in range(draw.randint(1, 3))]
    return schema


def objects(draw, depth):
    names = draw.sample(NAMES, draw.randint(1, 6))
    schema = obj({name: anything(draw, depth - 1) for name in names},
                 [name for name in names if draw.random() < 0.6])
    if draw.random() < 0.4:
        schema["additionalProperties"] = draw.choice([False, I, True])
    return schema


def unions(draw, depth):
    if draw.random() < 0.4:
        return {"anyOf": [anything(draw, depth - 1) for _ in range(draw.randint(1, 3))]}
    if draw.random() < 0.5:
        return {"type": draw.sample(["string", "integer", "boolean", "null", "array", "object"], 3)}
    parts = [obj({f"k{i}": anything(draw, depth - 1)}, []) for i in range(2)]
    return {"allOf": parts}


def references(draw, depth):
    tree = {"$ref": "#/$defs/tree"}
    inner = obj({"leaf": anything(draw, depth - 1), "left": tree, "all": listed(tree, maxItems=2)}, ["leaf"])
    return {"$defs": {"tree": inner}, **draw.choice([tree, listed(tree, maxItems=3), obj({"root": tree})])}


def anything(draw, depth):
    if depth <= 0:
        return draw.choice([dict(S), dict(B), {"type": "null"}, {"const": draw.choice([0, "c", None])},
                            numbers(draw), strings(draw)])
    way = draw.randrange(6)
    if way < 2:
        return [numbers, strings][way](draw)
    return [arrays, objects, objects, unions][way - 2](draw, depth)


def drawn(seed, kind):
    draw = random.Random(f"{kind} {seed}")
    makers = {"number": numbers, "string": strings, "array": lambda d: arrays(d, 2),
              "object": lambda d: objects(d, 2), "union": lambda d: unions(d, 2),
              "reference": lambda d: references(d, 1), "deep": lambda d: objects(d, 4)}
    return makers[kind](draw)


def corpus():
    """(name, schema) of more than 400 schemas."""
    for i, schema in enumerate(from_life()):
        yield f"life-{i}", schema
    for kind in ("number", "string", "array", "object", "union", "reference", "deep"):
        for seed in range(56):
            yield f"{kind}-{seed}", drawn(seed, kind)
