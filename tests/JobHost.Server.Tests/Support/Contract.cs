using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using JobHost.Server.Security;
using JobHost.Server.Tests.Support;

[assembly: AssemblyFixture(typeof(Contract))]

namespace JobHost.Server.Tests.Support;

/// <summary>
/// Whether the document promises what was seen, and was seen what it promises: notes every answer that a test gets, and at the
/// end of a run of all tests, where that is asked, fails for each status of each operation, and each problem, that nobody was ever answered with.
/// </summary>
public sealed class Contract : IDisposable
{
    private static readonly ConcurrentDictionary<(string Method, string Path, int Status), bool> Seen = new();
    private static readonly ConcurrentDictionary<string, bool> Problems = new(StringComparer.Ordinal);
    private static volatile string? document;

    /// <summary>Whether it is asked: of some tests only, it shows what they leave out.</summary>
    private static bool IsAsked => Environment.GetEnvironmentVariable("JOBHOST_TESTS_CONTRACT") == "1";

    internal static void Note(HttpRequestMessage request, HttpResponseMessage response, string text)
    {
        var path = request.RequestUri!.IsAbsoluteUri
            ? request.RequestUri.AbsolutePath
            : request.RequestUri.OriginalString.Split('?')[0];
        Seen[(request.Method.Method, path, (int)response.StatusCode)] = true;
        foreach (Match problem in Regex.Matches(text, "\"type\": ?\"/problems/([a-z-]+)\""))
        {
            Problems[problem.Groups[1].Value] = true;
        }
        if (path == "/openapi/v1.json" && response.IsSuccessStatusCode)
        {
            document = text;
        }
    }

    public void Dispose()
    {
        if (!IsAsked || document is not { } text)
        {
            return;
        }
        var missing = new List<string>();
        foreach (var path in JsonElement.Parse(text).GetProperty("paths").EnumerateObject())
        {
            var pattern = new Regex(
                $"^{Regex.Replace(path.Name, @"\{path\}", ".+").Replace("{id}", "[^/]+").Replace("{job}", "[^/]+").Replace("{name}", "[^/]+")}$"
            );
            foreach (var operation in path.Value.EnumerateObject())
            {
                var method = operation.Name.ToUpperInvariant();
                var seen = Seen
                    .Keys.Where(answer => answer.Method == method && pattern.IsMatch(answer.Path))
                    .Select(answer => answer.Status)
                    .ToHashSet();
                missing.AddRange(
                    operation
                        .Value.GetProperty("responses")
                        .EnumerateObject()
                        .Select(response => int.Parse(response.Name))
                        .Where(status => !seen.Contains(status) && !IsOfAll(method, path.Name, operation.Value, status))
                        .Select(status => $"{method} {path.Name} {status}")
                );
            }
        }
        // Each is named once, in one file.
        var source = File.ReadAllText(Path.Combine(Repository.Root, "src/JobHost.Server/Http/Problems.cs"));
        missing.AddRange(
            Regex
                .Matches(source, @"(?:\d{3}|status),\s*""([a-z]+(?:-[a-z]+)*)""")
                .Select(match => match.Groups[1].Value)
                .Where(slug => !Problems.ContainsKey(slug))
        );
        Assert.True(
            missing.Count == 0,
            $"The document promises answers that no test ever gets: {string.Join("; ", missing)}"
        );
    }

    /// <summary>Whether a status is promised of all operations alike, by what stands before them, and this one cannot give it.</summary>
    private static bool IsOfAll(string method, string path, JsonElement operation, int status)
    {
        var isLook = method == "GET";
        var takesBody = operation.TryGetProperty("requestBody", out _);
        return status switch
        {
            // Tried by spoiling a record; there is no other way known.
            500 => true,
            // One handler for all: the store that takes no writes is tried with starts.
            503 => !path.EndsWith("/jobs/{job}/runs", StringComparison.Ordinal) && path != "/healthz/ready",
            401 or 403 or 429 when path.StartsWith("/healthz", StringComparison.Ordinal) => true,
            403 => isLook && RoleOf(method, path) == Role.Viewer,
            // What is no document has no tag.
            412 => !path.Contains("{job}", StringComparison.Ordinal)
                && !path.StartsWith("/api/v1/runs/{id}", StringComparison.Ordinal),
            413 or 415 => !takesBody,
            _ => false,
        };
    }

    private static Role? RoleOf(string method, string path) =>
        KeysTests
            .Operations.Select(row => row.Data)
            .Where(row => row.Item1 == method && KeysTests.TemplateOf(row.Item2) == path)
            .Select(row => (Role?)row.Item4)
            .Min();
}
