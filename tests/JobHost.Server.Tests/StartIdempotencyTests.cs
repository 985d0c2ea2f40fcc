using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>A start that is repeated under its key happens once.</summary>
public sealed class StartIdempotencyTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private readonly ApiClient api = server.Api;

    [Fact(Timeout = 120_000)]
    public async Task A_start_that_is_repeated_answers_200_with_the_first_run()
    {
        var key = ("Idempotency-Key", "repeat");
        var body = new { labels = new { of = "repeat" }, notBefore = "2031-01-01T00:00:00Z" };
        var first = await api.StartRunAsync("result", body, key);
        first.Expect(202);

        var again = await api.StartRunAsync("result", body, key);

        Assert.Equal(first.Id, again.Expect(200).GetProperty("id").GetString());
        await api.CancelAsync(first.Id);
        var later = (await api.StartRunAsync("result", body, key)).Expect(200);
        Assert.Equal(first.Id, later.GetProperty("id").GetString());
        Assert.Equal("cancelled", later.GetProperty("state").GetString());
    }

    [Theory(Timeout = 120_000)]
    [InlineData("result", """{ "priority": 2 }""")]
    [InlineData("result", """{ "priority": 1, "labels": { "a": "b" } }""")]
    [InlineData("throws", """{ "priority": 1 }""")]
    public async Task A_key_that_is_used_for_another_start_is_refused(string job, string body)
    {
        var key = ("Idempotency-Key", $"reuse-{Guid.NewGuid()}");
        var first = await api.StartRunAsync("result", """{ "priority": 1 }""", key);

        var refusal = (await api.StartRunAsync(job, body, key)).ExpectProblem(422, "idempotency-key-reused");

        Assert.Equal(first.Id, refusal.GetProperty("runId").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task The_way_in_which_the_json_is_written_makes_no_other_request()
    {
        var key = ("Idempotency-Key", "spelling");
        var first = await api.StartRunAsync("result", """{"priority":1,"labels":{"a":"1","b":"2"}}""", key);

        var again = await api.StartRunAsync("result", """{ "labels": { "b": "2", "a": "1" }, "priority": 1 }""", key);

        Assert.Equal(first.Id, again.Expect(200).GetProperty("id").GetString());
    }

    [Fact(Timeout = 120_000)]
    public async Task Fifty_starts_at_once_under_one_key_run_once()
    {
        var journal = Path.Combine(Leaks.Folder, $"journal-{Guid.NewGuid():N}");
        var body = new { parameters = new { journal } };

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => api.StartRunAsync("counts", body, ("Idempotency-Key", "fifty")))
        );

        Assert.Single(answers, answer => answer.Status == 202);
        Assert.Equal(49, answers.Count(answer => answer.Status == 200));
        var id = Assert.Single(answers.Select(answer => answer.Id).Distinct());
        await api.EndAsync(id);
        Assert.Single(await File.ReadAllLinesAsync(journal, ApiClient.Token));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_refused_start_does_not_use_up_its_key()
    {
        var key = ("Idempotency-Key", "refused");
        (await api.StartRunAsync("result", """{ "priority": 9999 }""", key)).ExpectProblem(422);

        (await api.StartRunAsync("result", """{ "priority": 1 }""", key)).Expect(202);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_key_has_at_most_255_characters()
    {
        var refusal = await api.StartRunAsync("result", null, ("Idempotency-Key", new string('k', 256)));
        refusal.ExpectProblem(422, "invalid-parameters");
        Assert.Equal(["Idempotency-Key"], refusal.Fields);
        (await api.StartRunAsync("result", null, ("Idempotency-Key", new string('k', 255)))).Expect(202);
    }
}
