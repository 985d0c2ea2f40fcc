using System.Text;
using System.Text.Json.Nodes;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Spoils JSON in one way out of many.</summary>
internal sealed class BodyMutation(Random random)
{
    // Stands in the tree for text that no tree can hold.
    private const string Mark = "\u2400raw";

    internal byte[] Spoil(JsonNode? body)
    {
        var text = body?.ToJsonString() ?? "null";
        return random.Next(16) switch
        {
            0 => Utf8(text[..random.Next(text.Length)]),
            1 => Utf8(text + Pick("}", "{}", ",", "\0", "//", " \n\t", "\ufeff")),
            2 => Utf8(
                Pick("", " ", "null", "[]", "\"\"", "0", "true", "{", "[{}]", "\ufeff{}", "/**/{}", "{'a':1}", "{a:1}")
            ),
            3 => [.. Utf8(text), .. Pick<byte[]>([0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x00])],
            4 => Nested(text),
            5 => Utf8(
                text.Replace("{", Pick("{\"unknown\":1,", "{ \"\":null ,", "{\"Reason\":\"x\",", "{\"$id\":\"1\","))
                    .Replace(",}", "}")
            ),
            6 => Twice(body, text),
            7 => Bytes(text),
            8 => Large(text),
            9 or 10 => WithoutOne(body),
            _ => WithWrongOne(body),
        };
    }

    private byte[] Nested(string text)
    {
        var depth = Pick(31, 33, 64, 65, 1000, 20_000);
        var nest = Pick(
            $"{new string('[', depth)}{new string(']', depth)}",
            new string('[', depth),
            string.Concat(Enumerable.Repeat("{\"a\":", Math.Min(depth, 5000)))
                + "1"
                + new string('}', Math.Min(depth, 5000))
        );
        return Utf8(random.Next(2) == 0 ? nest : text.Replace("{", $"{{\"parameters\":{nest},").Replace(",}", "}"));
    }

    private byte[] Twice(JsonNode? body, string text) =>
        body is JsonObject { Count: > 0 } members && members.ElementAt(random.Next(members.Count)) is var (name, value)
            ? Utf8($"{{{Name(name)}:{value?.ToJsonString() ?? "null"},{text[1..]}")
            : Utf8(text);

    // One byte that is another: mostly no UTF-8, or no JSON.
    private byte[] Bytes(string text)
    {
        var bytes = Utf8(text);
        bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }

    private byte[] Large(string text) => Utf8(text.PadRight(Pick(65_535, 65_536, 65_537, 70_000, 200_000)));

    private byte[] WithoutOne(JsonNode? body)
    {
        var holders = All(body).OfType<JsonObject>().Where(one => one.Count > 0).ToList();
        if (holders.Count > 0)
        {
            var holder = holders[random.Next(holders.Count)];
            holder.Remove(holder.ElementAt(random.Next(holder.Count)).Key);
        }
        return Utf8(body?.ToJsonString() ?? "");
    }

    private byte[] WithWrongOne(JsonNode? body)
    {
        var wrong = random.Next(3) == 0 ? Name(Pick(Nasty.Texts)) : Pick(Nasty.Json);
        var places = All(body).Where(node => node.Parent is not null).ToList();
        if (places.Count == 0)
        {
            return Utf8(wrong);
        }
        places[random.Next(places.Count)].ReplaceWith(Mark);
        return Utf8(body!.ToJsonString().Replace(JsonValue.Create(Mark).ToJsonString(), wrong));
    }

    private static IEnumerable<JsonNode> All(JsonNode? node) =>
        node switch
        {
            null => [],
            JsonObject members => [node, .. members.ToList().SelectMany(member => All(member.Value))],
            JsonArray items => [node, .. items.ToList().SelectMany(All)],
            _ => [node],
        };

    private T Pick<T>(params T[] choices) => choices[random.Next(choices.Length)];

    private static string Name(string text) => JsonValue.Create(text).ToJsonString();

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
