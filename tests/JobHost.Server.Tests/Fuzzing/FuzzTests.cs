using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>
/// The document and the service agree, whatever is asked: requests made from the document's own schemas, and such that were
/// spoilt, are answered with a status, a type and a body that it declares, and no refusal shows the inside.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int ShortRequests = 40;

    [Fact(Timeout = 3_600_000)]
    public async Task Every_answer_is_as_the_document_says_whoever_asks()
    {
        await using var server = await FuzzServer.StartAsync(FuzzCallers.Keys);
        var fuzzer = new Fuzzer(server);

        var report = await fuzzer.RunAsync(FuzzSettings.Requests ?? ShortRequests, ApiClient.Token);

        foreach (var operation in fuzzer.Counts.GroupBy(pair => pair.Key.Operation))
        {
            var statuses = operation
                .OrderBy(pair => pair.Key.Status)
                .Select(pair => $"{pair.Key.Status}: {pair.Value}");
            output.WriteLine($"{operation.Key, -16} {string.Join(", ", statuses)}");
        }
        Assert.True(report is null, report);
        // What went wrong without an answer that says so.
        var said = server.Process.Output;
        var at = said.IndexOf("unhandled exception", StringComparison.OrdinalIgnoreCase);
        Assert.True(at < 0, $"The server said: {(at < 0 ? "" : said[at..Math.Min(said.Length, at + 2000)])}");
        Assert.DoesNotContain("[FTL]", said, StringComparison.Ordinal);
        Assert.Equal(200, (await server.Process.Api.FetchAsync("/healthz/live")).Status);
    }
}
