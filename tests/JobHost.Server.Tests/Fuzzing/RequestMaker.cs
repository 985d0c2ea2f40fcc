using System.Text;
using System.Text.Json.Nodes;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>Makes the requests of an operation: most as the document wants them, the others spoilt in one place or two.</summary>
internal sealed class RequestMaker(ApiDocument document, Vocabulary words, int seed)
{
    private const string Json = "application/json";
    private static readonly string[] NoIds =
    [
        "0198c0de-0000-7000-8000-000000000001",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "6fa459ea-ee8a-4ca4-894e-db77e160355e",
        "0198c0de-0000-7000-8000-00000000000g",
        "%7b0198c0de-0000-7000-8000-000000000001%7d",
        "0198c0de000070008000000000000001",
        "no-id",
        "wait",
        "0",
        "-1",
    ];

    /// <summary>That request of that operation: the same one for the same seed.</summary>
    internal FuzzRequest Make(ApiOperation operation, int index)
    {
        var random = new Random(Hash($"{seed} {operation.Id} {index}"));
        var values = new ValueMaker(document, words, random);
        var spoil = random.Next(100) < 45 ? random.Next(1, 8) : 0;
        var request = new FuzzRequest
        {
            Operation = operation,
            Index = index,
            Path = "",
            IsValid = spoil == 0,
        };
        request = WithPath(request, values, isSpoilt: (spoil & 1) != 0 && values.OneIn(2));
        request = WithQuery(request, values, isSpoilt: (spoil & 1) != 0);
        request = WithHeaders(request, values, isSpoilt: (spoil & 2) != 0);
        request = WithBody(request, values, random, isSpoilt: (spoil & 4) != 0);
        return Harmless(request, values);
    }

    /// <summary>The same for all time, as the runtime's own is not.</summary>
    private static int Hash(string text) =>
        (int)Encoding.UTF8.GetBytes(text).Aggregate(2_166_136_261u, (hash, one) => (hash ^ one) * 16_777_619);

    private FuzzRequest WithPath(FuzzRequest request, ValueMaker values, bool isSpoilt)
    {
        var path = request.Operation.Path;
        var mayLeave = false;
        foreach (var parameter in request.Operation.Parameters.Where(one => one.In == "path"))
        {
            var value = Escaped(isSpoilt ? values.Pick(Nasty.Texts) : values.Plain(parameter));
            if (parameter.Name == "id" && !isSpoilt)
            {
                value = request.Operation.Path.Split('/') switch
                {
                    [.., "nodes", _] or [.., "nodes", _, _] => values.OneIn(5)
                        ? "none"
                        : Uri.EscapeDataString(words.Node),
                    [.., "schedules", _] or [.., "schedules", _, _] => values.Pick([.. Population.Schedules, "none"]),
                    _ when values.OneIn(12) => values.Pick(NoIds),
                    _ => Vocabulary.RunIn(values.Pick(words.States)),
                };
            }
            else if (parameter.Name == "path")
            {
                value = value.Replace("%2F", "/", StringComparison.Ordinal);
            }
            mayLeave |= value is "" or "." or ".." || value.Contains("..", StringComparison.Ordinal) || value is "%20";
            path = path.Replace($"{{{parameter.Name}}}", value, StringComparison.Ordinal);
        }
        return request with { Path = path, MayLeave = mayLeave };
    }

    // What stands for a run stays as it is.
    private static string Escaped(string text) => text is ['@', .., '@'] ? text : Uri.EscapeDataString(text);

    private static FuzzRequest WithQuery(FuzzRequest request, ValueMaker values, bool isSpoilt)
    {
        var query = new List<(string, string)>();
        foreach (var parameter in request.Operation.Parameters.Where(one => one.In == "query"))
        {
            var isList = parameter.Schema.TryGetProperty("items", out _);
            var count = parameter.IsRequired || values.OneIn(4) ? 1 + (isList && values.OneIn(2) ? 1 : 0) : 0;
            for (; count > 0; count--)
            {
                query.Add((parameter.Name, Escaped(values.Plain(parameter))));
            }
        }
        if (isSpoilt)
        {
            var names = request.Operation.Parameters.Where(one => one.In == "query").Select(one => one.Name).ToList();
            var name =
                names.Count == 0 || values.OneIn(8)
                    ? values.Pick(["unknown", "", "%00", "pageSize", "a[]"])
                    : values.Pick(names);
            query.RemoveAll(pair => pair.Item1 == name && values.OneIn(2));
            query.Add((name, values.OneIn(12) ? "%ff%fe" : Uri.EscapeDataString(values.Pick(Nasty.Texts))));
        }
        if (request.IsValid && query.Any(pair => pair.Item1 == "offset"))
        {
            // Either is good, and both are not.
            query.RemoveAll(pair => pair.Item1 == "tail");
        }
        return request with { Query = query };
    }

    private static FuzzRequest WithHeaders(FuzzRequest request, ValueMaker values, bool isSpoilt)
    {
        var headers = new List<(string, string)>();
        foreach (var parameter in request.Operation.Parameters.Where(one => one.In == "header"))
        {
            if (parameter.IsRequired || values.OneIn(4))
            {
                headers.Add((parameter.Name, values.Plain(parameter)));
            }
        }
        if (values.OneIn(3))
        {
            headers.Add(("Accept", values.Pick(Nasty.Accepts)));
        }
        if (isSpoilt)
        {
            var (name, value) = values.Pick(OddHeaders.All);
            headers.RemoveAll(header => header.Item1.Equals(name, StringComparison.OrdinalIgnoreCase));
            headers.Add((name, value ?? OddHeaders.Sendable(values.Pick(Nasty.Texts))));
        }
        return request with { Headers = headers };
    }

    private FuzzRequest WithBody(FuzzRequest request, ValueMaker values, Random random, bool isSpoilt)
    {
        var bodies = request.Operation.Bodies;
        if (bodies.Count == 0)
        {
            // Nobody reads it, and it harms nobody.
            return isSpoilt && request.Operation.Method != HttpMethod.Get
                ? request with
                {
                    Body = Encoding.UTF8.GetBytes(values.Pick(Nasty.Json)),
                    ContentType = values.Pick(Nasty.ContentTypes),
                }
                : request;
        }
        if (!request.Operation.IsBodyRequired && values.OneIn(6))
        {
            return request;
        }
        var (type, schema) = values.Pick(bodies.ToList());
        if (!type.Equals(Json, StringComparison.OrdinalIgnoreCase))
        {
            var bytes = new byte[isSpoilt ? values.Pick([0, 1, 65_535, 65_536, 65_537, 70_000]) : random.Next(1, 100)];
            random.NextBytes(bytes);
            return request with
            {
                Body = bytes,
                ContentType = isSpoilt && values.OneIn(2) ? values.Pick(Nasty.ContentTypes) : type,
            };
        }
        var body = values.Make(schema, "body");
        if (body is JsonObject start && start.ContainsKey("parameters"))
        {
            var job = words.Jobs.FirstOrDefault(name => request.Path.Contains($"/{name}/", StringComparison.Ordinal));
            start["parameters"] = job is null ? new JsonObject() : values.Make(words.Parameters[job], "parameters");
        }
        if (!isSpoilt)
        {
            return request with { Body = Encoding.UTF8.GetBytes(body?.ToJsonString() ?? "null"), ContentType = Json };
        }
        var type2 = values.OneIn(5) ? values.Pick(Nasty.ContentTypes) : Json;
        return values.OneIn(15) && request.Operation.IsBodyRequired
            ? request with
            {
                Body = null,
            }
            : request with
            {
                Body = new BodyMutation(random).Spoil(body),
                ContentType = type2,
            };
    }

    /// <summary>A request that would end the server only asks what it would do.</summary>
    private FuzzRequest Harmless(FuzzRequest request, ValueMaker values) =>
        request.Operation.Id != "RecycleNode" ? request
        : request.Path.Contains(Uri.EscapeDataString(words.Node), StringComparison.Ordinal)
            ? request with
            {
                Query =
                [
                    (
                        "validateOnly",
                        request.IsValid ? "true" : values.Pick(["true", "TRUE", "yes", "1", "NaN", "%ff"])
                    ),
                ],
            }
        : request;
}
