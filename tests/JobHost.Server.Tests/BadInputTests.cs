using System.Net.Http.Headers;
using JobHost.Server.Tests.Support;

namespace JobHost.Server.Tests;

/// <summary>Whatever comes in, the answer is a problem document, and nothing has changed.</summary>
public sealed class BadInputTests(InProcessServer server) : IClassFixture<InProcessServer>
{
    private const string Start = "/api/v1/jobs/obeys/runs";
    private const string NoSuchRun = "0198c0de-0000-7000-8000-000000000001";

    private readonly ApiClient api = server.Api;

    public static TheoryData<string> Malformed =>
        new(
            "{",
            "}",
            "nonsense",
            "{ 'single': 1 }",
            "{ \"priority\": 1, }",
            "{ \"priority\": 1 } trailing",
            "{ \"priority\": 1 }{}",
            "// comment\n{}",
            "[]",
            "1",
            "\"text\"",
            "{ \"priority\": 1, \"priority\": 1 }",
            "{ \"parameters\": { \"seconds\": 1, \"seconds\": 2 } }",
            "{ \"labels\": { \"a\": \"1\", \"a\": \"2\" } }",
            "{ \"priority\": NaN }",
            "{ \"priority\": 01 }",
            "{ \"priority\": +1 }",
            "{ \"priority\": 0x1 }",
            "{ \"timeoutSeconds\": Infinity }",
            "{ \"timeoutSeconds\": \"NaN\" }",
            "{ \"priority\": -9223372036854775809 }",
            "{ \"priority\": 1e400 }",
            "{ \"uniqueKey\": \"raw \n line feed\" }",
            "{ \"uniqueKey\": \"\\x\" }",
            "{ \"uniqueKey\": \"\\ud800\\ud800\" }",
            "{ \"$type\": \"System.Object\" }",
            "{ \"id\": \"0198c0de-0000-7000-8000-000000000001\" }",
            "{ \"state\": \"succeeded\" }",
            "{ \"__proto__\": {} }",
            $"{{ \"parameters\": {new string('[', 1000)}{new string(']', 1000)} }}",
            new string('[', 60_000),
            $"{{ \"parameters\": {string.Concat(Enumerable.Repeat("{\"a\":", 40))}1{new string('}', 40)} }}"
        );

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Malformed))]
    public async Task A_body_that_is_no_json_of_the_right_form_is_a_400(string body)
    {
        await RefusesAsync(400, () => api.SubmitAsync(Start, body));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("application/json", "7B7DFF")]
    [InlineData("application/json", "FFFE7B007D00")]
    [InlineData("application/json", "7B007D00")]
    [InlineData("application/json", "00")]
    [InlineData("application/json", "7B22756E697175654B6579223A22C3287D")]
    [InlineData("application/json", "7B22756E697175654B6579223A22C328227D")]
    [InlineData("application/json", "7B22756E697175654B6579223A22EDA080227D")]
    public async Task Bytes_that_are_no_text_are_a_400(string contentType, string hex)
    {
        await RefusesAsync(400, () => api.SubmitAsync(Start, Content(contentType, Convert.FromHexString(hex))));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/xml")]
    [InlineData("application/jsonp")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=klingon")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData(null)]
    public async Task Another_content_type_than_json_is_a_415(string? contentType)
    {
        foreach (var url in new[] { Start, $"/api/v1/runs/{NoSuchRun}/cancel", $"/api/v1/runs/{NoSuchRun}/kill" })
        {
            await RefusesAsync(415, () => api.SubmitAsync(url, Content(contentType, "{}"u8.ToArray())));
        }
        await RefusesAsync(415, () => api.SubmitAsync("/api/v1/runs/wait", Content(contentType, "{}"u8.ToArray())));
    }

    [Theory(Timeout = 120_000)]
    [InlineData(Start, "parameters", "{}")]
    [InlineData(Start, "uniqueKey", "")]
    [InlineData(Start, "labels", "{}")]
    [InlineData("/api/v1/runs/{id}/messages", "message", "")]
    [InlineData("/api/v1/runs/{id}/signal", "signal", "")]
    [InlineData("/api/v1/runs/{id}/cancel", "reason", "")]
    [InlineData("/api/v1/runs/{id}/kill", "reason", "")]
    [InlineData("/api/v1/runs/{id}/release", "reason", "")]
    [InlineData("/api/v1/jobs/obeys/pause", "reason", "")]
    [InlineData("/api/v1/terminations", "reason", "")]
    public async Task A_byte_that_is_no_text_is_refused_wherever_it_stands(string url, string field, string around)
    {
        var id = await api.StartAsync("obeys");
        var value = around == "{}" ? "{ \"a\": \"x\u00ffy\" }" : "\"x\u00ffy\"";
        var body = System.Text.Encoding.Latin1.GetBytes($"{{ \"{field}\": {value} }}");

        var answer = await api.SubmitAsync(url.Replace("{id}", id), Content("application/json", body));

        answer.ExpectProblem(answer.Status == 422 ? 422 : 400);
        Assert.Equal("none", (await api.GetRunAsync(id)).Text("stop"));
        await api.StopAsync(id);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("GET", "/api/v1/runs?pageSize=many", "pageSize")]
    [InlineData("GET", "/api/v1/audit?run={0198c0de-0000-7000-8000-000000000001}", "run")]
    [InlineData("GET", "/api/v1/audit?run=0198c0de000070008000000000000001", "run")]
    [InlineData("GET", "/api/v1/runs?since=soon", "since")]
    [InlineData("GET", "/api/v1/audit?run=%22x%22%20y", "run")]
    [InlineData("POST", "/api/v1/runs/0198c0de-0000-7000-8000-000000000001/kill?validateOnly=perhaps", "validateOnly")]
    [InlineData("DELETE", "/api/v1/runs/0198c0de-0000-7000-8000-000000000001/messages", "through")]
    public async Task A_parameter_that_cannot_be_read_is_named_without_our_words_for_its_type(
        string method,
        string url,
        string name
    )
    {
        var answer = await api.CallAsync(new(method), url, null);

        var detail = answer.ExpectProblem(400, "malformed-request").Text("detail");
        Assert.Equal([name], answer.Fields);
        Assert.DoesNotContain("bind", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Nullable", detail, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_wait_without_a_body_is_a_400()
    {
        foreach (var body in new[] { "", "null", "{}" })
        {
            await RefusesAsync(400, () => api.SubmitAsync("/api/v1/runs/wait", body));
        }
        await RefusesAsync(400, () => api.SubmitAsync("/api/v1/runs/wait", null));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("cancel", """{ "graceSeconds": -1 }""", 422, "graceSeconds")]
    [InlineData("cancel", """{ "graceSeconds": 86401 }""", 422, "graceSeconds")]
    [InlineData("cancel", """{ "graceSeconds": "1" }""", 400, "graceSeconds")]
    [InlineData("cancel", """{ "reason": 1 }""", 400, "reason")]
    [InlineData("cancel", """{ "reason": "a\u0007b" }""", 422, "reason")]
    [InlineData("cancel", """{ "reason": "\udc00" }""", 400, "reason")]
    [InlineData("cancel", """{ "escalate": "maybe" }""", 400, "escalate")]
    [InlineData("cancel", """{ "escalate": 1 }""", 400, "escalate")]
    [InlineData("cancel", """{ "level": "kill" }""", 400, "level")]
    [InlineData("kill", """{ "graceSeconds": 1e10 }""", 422, "graceSeconds")]
    [InlineData("kill", """{ "reason": "a\nb" }""", 422, "reason")]
    [InlineData("kill", """{ "escalate": "kill" }""", 400, "escalate")]
    public async Task A_stop_that_makes_no_sense_asks_nothing_of_the_run(
        string verb,
        string body,
        int status,
        string field
    )
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        var answer = await api.SubmitAsync($"/api/v1/runs/{id}/{verb}", body);

        answer.ExpectProblem(status);
        Assert.Equal([field], answer.Fields);
        Assert.Equal("none", (await api.GetRunAsync(id)).GetProperty("stop").GetString());
        await api.StopAsync(id);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_reason_has_at_most_1000_characters()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        var answer = await api.SubmitAsync($"/api/v1/runs/{id}/cancel", new { reason = new string('r', 1001) });
        answer.ExpectProblem(422, "invalid-parameters");
        (await api.SubmitAsync($"/api/v1/runs/{id}/cancel", new { reason = new string('r', 1000) })).Expect(202);
        await api.EndAsync(id);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("priority", "\u0000")]
    [InlineData("uniqueKey", "\u0000")]
    [InlineData("uniqueKey", "\u001b[2J")]
    [InlineData("uniqueKey", "\u0085")]
    [InlineData("requireGuarantee", "group\u0000")]
    [InlineData("labels", "\u007f")]
    public async Task Control_characters_are_refused_in_every_text(string field, string text)
    {
        object body =
            field == "labels" ? new { labels = new { a = text } } : new Dictionary<string, string> { [field] = text };

        await RefusesAsync(field == "priority" ? 400 : 422, () => api.SubmitAsync(Start, body));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_byte_order_mark_and_utf8_that_is_named_are_read()
    {
        byte[] marked = [0xEF, 0xBB, 0xBF, .. "{ \"parameters\": { \"seconds\": 0 } }"u8];
        (await api.SubmitAsync(Start, Content("application/json", marked))).Expect(202);
        foreach (var charset in new[] { "utf-8", "UTF-8" })
        {
            var content = Content(
                $"application/json; charset={charset}",
                "{ \"parameters\": { \"seconds\": 0 } }"u8.ToArray()
            );
            (await api.SubmitAsync(Start, content)).Expect(202);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_hundred_cancels_and_kills_at_once_make_one_end_and_one_receipt()
    {
        var id = await api.StartAsync("obeys");
        await api.UntilAsync(id, "running");

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 100)
                .Select(i => api.SubmitAsync($"/api/v1/runs/{id}/{(i % 2 == 0 ? "cancel" : "kill")}", null))
        );

        Assert.All(answers, answer => Assert.Contains(answer.Status, new[] { 200, 202, 409 }));
        Assert.Contains(answers, answer => answer.Status == 202);
        var run = await api.EndAsync(id);
        Assert.Contains(run.GetProperty("state").GetString(), new[] { "cancelled", "killed" });
        var receipt = await api.TerminationAsync(id);
        Assert.Equal("gone", receipt.GetProperty("verdict").GetString());
        Assert.InRange(receipt.GetProperty("requests").GetArrayLength(), 1, 2);
        Assert.Equal(receipt.GetRawText(), (await api.TerminationAsync(id)).GetRawText());
        Assert.Equal(run.GetRawText(), (await api.GetRunAsync(id)).GetRawText());
        (await api.SubmitAsync($"/api/v1/runs/{id}/kill", null)).ExpectProblem(409, "run-already-ended");
    }

    private async Task RefusesAsync(int status, Func<Task<Answer>> ask)
    {
        var before = await api.CountRunsAsync();

        var answer = await ask();

        answer.ExpectProblem(status);
        Assert.Equal(before, await api.CountRunsAsync());
    }

    private static ByteArrayContent Content(string? type, byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        if (type is not null)
        {
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }
        return content;
    }
}
