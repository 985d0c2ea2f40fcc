using System.Globalization;
using System.Text;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>A request as it is made, before the runs that it speaks of are known.</summary>
internal sealed record FuzzRequest
{
    private static readonly Encoding Bytes = Encoding.Latin1;

    public required ApiOperation Operation { get; init; }

    /// <summary>Which of the operation's requests: with the seed, all that is needed to make it again.</summary>
    public required int Index { get; init; }

    /// <summary>The path, escaped.</summary>
    public required string Path { get; init; }

    /// <summary>Names and values, escaped.</summary>
    public IReadOnlyList<(string Name, string Value)> Query { get; init; } = [];

    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public string? ContentType { get; init; }

    public byte[]? Body { get; init; }

    /// <summary>Whether all of it is as the document wants it.</summary>
    public bool IsValid { get; init; }

    /// <summary>Whether the path may lead to another operation, or to none.</summary>
    public bool MayLeave { get; init; }

    /// <summary>From the root of the server.</summary>
    public string Target =>
        Query.Count == 0 ? Path : $"{Path}?{string.Join('&', Query.Select(pair => $"{pair.Name}={pair.Value}"))}";

    public string? Header(string name) =>
        Headers.FirstOrDefault(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>The request with the ids of runs where only their states stood.</summary>
    public FuzzRequest Named(Func<string, string> idOf) =>
        this with
        {
            Path = Replace(Path, idOf),
            Query = [.. Query.Select(pair => (pair.Name, Replace(pair.Value, idOf)))],
            Body = Body is null ? null : Bytes.GetBytes(Replace(Bytes.GetString(Body), idOf)),
        };

    public HttpRequestMessage ToMessage(Uri server)
    {
        // As it stands: a path that is made neat is another one.
        var address = new Uri(
            $"{server.GetLeftPart(UriPartial.Authority)}{Target}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        var message = new HttpRequestMessage(Operation.Method, address);
        if (Body is not null)
        {
            message.Content = new ByteArrayContent(Body);
            // Asked first, a client does not send what will not be read, and never misses the answer.
            message.Headers.ExpectContinue = Body.Length > 60_000;
            if (ContentType is { Length: > 0 })
            {
                message.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
            }
        }
        foreach (var (name, value) in Headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }
        return message;
    }

    /// <summary>The line of a shell that sends it again.</summary>
    public string ToCurl(Uri server)
    {
        var line = new StringBuilder("curl -i --path-as-is --globoff");
        line.Append(CultureInfo.InvariantCulture, $" -X {Operation.Method}");
        line.Append(CultureInfo.InvariantCulture, $" {Quoted(server.GetLeftPart(UriPartial.Authority) + Target)}");
        foreach (var (name, value) in Headers)
        {
            line.Append(
                CultureInfo.InvariantCulture,
                $" -H {Quoted($"{name}{(value.Length == 0 ? ";" : $": {value}")}")}"
            );
        }
        if (Body is not null)
        {
            line.Append(CultureInfo.InvariantCulture, $" -H {Quoted($"Content-Type: {ContentType}".TrimEnd())}");
            line.Append(CultureInfo.InvariantCulture, $" --data-binary {Quoted(Bytes.GetString(Body), isBytes: true)}");
        }
        return line.ToString();
    }

    private static string Quoted(string text, bool isBytes = false)
    {
        var quoted = new StringBuilder("$'");
        foreach (var one in isBytes ? Bytes.GetBytes(text) : Encoding.UTF8.GetBytes(text))
        {
            _ = one switch
            {
                (byte)'\'' or (byte)'\\' => quoted.Append('\\').Append((char)one),
                < 0x20 or > 0x7e => quoted.Append(CultureInfo.InvariantCulture, $"\\x{one:x2}"),
                _ => quoted.Append((char)one),
            };
        }
        return quoted.Append('\'').ToString();
    }

    private static string Replace(string text, Func<string, string> idOf)
    {
        for (var at = text.IndexOf('@', StringComparison.Ordinal); at >= 0; at = text.IndexOf('@', at + 1))
        {
            var end = text.IndexOf('@', at + 1);
            if (end > at + 1 && text[(at + 1)..end] is var state && state.All(char.IsAsciiLetter))
            {
                text = $"{text[..at]}{idOf(state)}{text[(end + 1)..]}";
            }
        }
        return text;
    }
}
