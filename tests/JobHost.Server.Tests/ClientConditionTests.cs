using JobHost.Client;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Changes that the client makes only where nothing has changed since somebody looked.</summary>
public sealed class ClientConditionTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly JobHostClient client = new(server.Api.Client);

    private static CancellationToken Token => ApiClient.Token;

    [Fact(Timeout = 120_000)]
    public async Task A_run_that_has_changed_since_is_left_alone()
    {
        var started = await client.StartAsync("obeys", cancellationToken: Token);
        await server.Api.UntilAsync($"{started.Id}", "running");
        var seen = await client.GetRunAsync(started.Id, cancellationToken: Token);

        await client.IfUnchanged(seen).CancelAsync(started.Id, cancellationToken: Token);

        var ended = await client.WaitAsync(started.Id, cancellationToken: Token);
        var refusal = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.IfUnchanged(seen).DeleteRunAsync(started.Id, Token)
        );
        Assert.True(refusal.Is("precondition-failed"));
        Assert.NotNull(await client.IfUnchanged(seen).GetRunAsync(started.Id, cancellationToken: Token));
        await client.IfUnchanged(ended).DeleteRunAsync(started.Id, Token);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_job_that_has_changed_since_is_left_alone()
    {
        var seen = await client.GetJobAsync("counts", Token);
        await client.IfUnchanged(seen).PauseJobAsync("counts", cancellationToken: Token);

        var refusal = await Assert.ThrowsAsync<JobHostApiException>(() =>
            client.IfUnchanged(seen).ResumeJobAsync("counts", Token)
        );

        Assert.True(refusal.Is("precondition-failed"));
        await client.ResumeJobAsync("counts", Token);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_conditional_start_whose_answer_was_lost_is_not_repeated()
    {
        // The first may have been carried out: the second would be told that something has changed.
        var seen = await client.GetJobAsync("result", Token);
        var handler = new Failing();
        var broken = new JobHostClient(
            new HttpClient(handler),
            new() { Address = new("http://localhost"), FirstRetryDelay = TimeSpan.FromMilliseconds(1) }
        );

        await Assert.ThrowsAsync<HttpRequestException>(() =>
            broken.IfUnchanged(seen).StartAsync("result", cancellationToken: Token)
        );

        Assert.Equal(1, handler.Count);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_document_without_a_tag_is_no_condition()
    {
        var listed = (await client.ListJobsAsync(Token))[0];

        Assert.Throws<ArgumentException>(() => client.IfUnchanged(listed));
        Assert.Null(listed.ETag);
    }

    private sealed class Failing : HttpMessageHandler
    {
        internal int Count { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            Count++;
            throw new HttpRequestException(HttpRequestError.ResponseEnded);
        }
    }
}
