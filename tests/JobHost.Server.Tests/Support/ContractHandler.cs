using System.Text.Json;

namespace JobHost.Server.Tests.Support;

/// <summary>
/// Holds every answer that a test gets against the checked-in OpenAPI document: its status, its media type and, of a problem,
/// its type must be declared for the operation. So each test of a refusal is also a test of the document.
/// </summary>
internal sealed class ContractHandler : DelegatingHandler
{
    private static readonly Lazy<List<Operation>> Operations = new(Read);

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var response = await base.SendAsync(request, cancellationToken);
        var path = request.RequestUri!.AbsolutePath;
        if (Operations.Value.FirstOrDefault(one => one.Is(request.Method.Method, path)) is { } operation)
        {
            await CheckAsync(operation, response, cancellationToken);
        }
        return response;
    }

    private static async Task CheckAsync(
        Operation operation,
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var status = (int)response.StatusCode;
        if (status is 414 or 431)
        {
            // The web server refuses such a request before it is anybody's.
            return;
        }
        Assert.True(
            operation.Answers.TryGetProperty($"{status}", out var answer),
            $"{operation.Name} answered {status}, which the OpenAPI document does not say."
        );
        if (response.Content.Headers.ContentType?.MediaType is not { } media)
        {
            return;
        }
        JsonElement described = default;
        Assert.True(
            answer.TryGetProperty("content", out var content) && content.TryGetProperty(media, out described),
            $"{operation.Name} answered {status} with {media}, which the OpenAPI document does not say."
        );
        if (media != "application/problem+json")
        {
            return;
        }
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        var type = JsonElement
            .Parse(await response.Content.ReadAsStringAsync(cancellationToken))
            .GetProperty("type")
            .GetString()!;
        Assert.True(
            described.GetProperty("schema").GetRawText().Contains($"/{SchemaOf(type)}\"", StringComparison.Ordinal),
            $"{operation.Name} answered {status} with the problem {type}, which the OpenAPI document does not say."
        );
    }

    private static string SchemaOf(string type) =>
        string.Concat(
            type["/problems/".Length..].Split('-').Select(word => $"{char.ToUpperInvariant(word[0])}{word[1..]}")
        ) + "Problem";

    private static List<Operation> Read()
    {
        if (!File.Exists(NodeTools.Snapshot))
        {
            // ContractTests says so.
            return [];
        }
        var document = JsonElement.Parse(File.ReadAllText(NodeTools.Snapshot));
        return
        [
            .. document
                .GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path =>
                    path.Value.EnumerateObject()
                        .Select(operation => new Operation(
                            operation.Name.ToUpperInvariant(),
                            path.Name.Split('/'),
                            operation.Value.GetProperty("responses")
                        ))
                )
                // "/runs/wait" is meant before "/runs/{id}".
                .OrderBy(operation => operation.Segments.Count(segment => segment.StartsWith('{'))),
        ];
    }

    private sealed record Operation(string Method, string[] Segments, JsonElement Answers)
    {
        internal string Name => $"{Method} {string.Join('/', Segments)}";

        internal bool Is(string method, string path)
        {
            var parts = path.Split('/');
            // Only the path of a file has slashes of its own.
            return method == Method
                && (Segments[^1] == "{path}" ? parts.Length >= Segments.Length : parts.Length == Segments.Length)
                && Segments
                    .Zip(parts)
                    .All(pair =>
                        pair.First == pair.Second
                        // An empty part is nobody's name, and the path leads nowhere.
                        || (pair.First.StartsWith('{') && (pair.Second.Length > 0 || pair.First == "{path}"))
                    );
        }
    }
}
